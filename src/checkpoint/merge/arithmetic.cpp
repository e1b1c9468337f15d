#include "checkpoint/merge/arithmetic.h"

#include <bit>

#include "checkpoint/quant/floats.h"

namespace helio::checkpoint {
namespace {

#include "checkpoint/merge/loops_impl.h"

}  // namespace

const MergeLoops& portable_merge_loops() { return kLoops; }

#if defined(__x86_64__)
const MergeLoops& avx2_merge_loops();
#endif

const MergeLoops& merge_loops() {
#if defined(__x86_64__)
  static const bool fast = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (fast) return avx2_merge_loops();
#endif
  return kLoops;
}

float rounded(DType work, float value) {
  scale(work, 1, &value, 1);
  return value;
}

}  // namespace helio::checkpoint
