// The kernels for processors with AVX2 and FMA.
#include "nn/kernels.h"

#if defined(__x86_64__)
#pragma GCC target("avx2,fma")
#endif
#pragma GCC optimize("O3", "fp-contract=fast")
#define HELIO_LANES 8
#define HELIO_SCORE_VECTORS 2
#define HELIO_ACCUMULATORS 8
#include "nn/kernels_impl.h"

namespace helio::nn {
const Kernels& avx2_kernels() {
  static constexpr Kernels table = make_table("avx2");
  return table;
}
}  // namespace helio::nn
