// The kernels for processors with AVX-512.
#include "nn/kernels.h"

#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512dq,fma")
#endif
#pragma GCC optimize("O3", "fp-contract=fast")
#define HELIO_LANES 16
#define HELIO_SCORE_VECTORS 4
#define HELIO_ACCUMULATORS 16
#include "nn/kernels_impl.h"

namespace helio::nn {
const Kernels& avx512_kernels() {
  static constexpr Kernels table = make_table("avx512");
  return table;
}
}  // namespace helio::nn
