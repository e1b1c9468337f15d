// Large f32 matrix products by whichever of LibTorch's two libraries is faster on this processor.
#pragma once

#include <ATen/core/Tensor.h>

namespace helio::nn {

// x @ w^T, plus residual [N, O] or [O] where one is given, for x [N, I] and w [O, I], a view such
// as another matrix's t() too. oneDNN multiplies large f32 matrices on AMD's AVX-512 processors,
// where MKL takes kernels for AVX2 (equal to rounding of f32); all else, and what records
// gradients, is at::mm or at::addmm.
at::Tensor product(const at::Tensor& x_NI, const at::Tensor& w_OI, const at::Tensor& residual = {});

}  // namespace helio::nn
