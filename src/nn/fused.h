// The layers of layers.h through the kernels, with their gradients (f32, contiguous). Callers ask
// can_fuse first and compose ATen's operators otherwise.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "nn/layers.h"

namespace helio::nn {

// Are there kernels on this processor, and do they take this tensor?
bool can_fuse(const at::Tensor& tensor);
bool can_fuse_attention(const at::Tensor& qkv, const Heads& heads);

at::Tensor fused_rms_norm(const at::Tensor& x_NH, const at::Tensor& weight_H, double eps);
at::Tensor fused_swiglu(const at::Tensor& gate_up_N2F);
at::Tensor fused_attention(const at::Tensor& qkv, const Rotation& rotation, const Heads& heads,
                           const std::vector<int64_t>& lengths, const Branches& branches = {});

}  // namespace helio::nn
