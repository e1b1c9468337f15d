// Which set of hand-written kernels may run here.
#pragma once

namespace helio::nn {

// What the processor has, all of an item or nothing.
struct Processor {
  bool amd = false;
  bool avx2 = false;          // with FMA
  bool f16c = false;          // conversions of half precision
  bool avx512 = false;        // F and DQ
  bool avx512_bytes = false;  // BW, VL and VNNI besides
  bool amx_bf16 = false;      // tiles of bfloat16
  bool avx512_bf16 = false;   // pairs of bfloat16; with neither, its products are slower than f32's
};
const Processor& processor();

enum class KernelSet { none, avx2, avx512 };
struct KernelSupport {
  bool avx2 = false, avx512 = false;  // whether that set's kernels can run
};
// The best of what can run; HELIO_KERNELS=avx2 or none asks for less (tests, comparisons).
KernelSet chosen_kernels(const KernelSupport& can);
// May a set of AVX-512 use avx512_bf16 too? HELIO_KERNELS=avx512 asks for less.
bool chosen_bf16_products();

}  // namespace helio::nn
