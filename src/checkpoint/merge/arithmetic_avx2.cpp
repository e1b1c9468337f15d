// The loops of arithmetic.cpp, compiled for processors with AVX2 and FMA. Products are fused only
// where they are written so: the numbers are the same.
#include <bit>

#include "checkpoint/merge/arithmetic.h"
#include "checkpoint/quant/floats.h"

#if defined(__x86_64__)
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3", "fp-contract=off")
#pragma GCC target("avx2,fma")
#endif

namespace helio::checkpoint {
namespace {

#include "checkpoint/merge/loops_impl.h"

}  // namespace

const MergeLoops& avx2_merge_loops();
const MergeLoops& avx2_merge_loops() { return kLoops; }

}  // namespace helio::checkpoint
#endif
