// The pieces of a Llama decoder as differentiable functions of tensors. Weights are passed in;
// nothing here holds state. f32 takes fused kernels (nn/kernels.h), other types compositions of
// ATen's. Numbers follow transformers 5 (models/llama/modeling_llama.py).
//
// Shape suffixes: B rows, T positions, N = B*T, H hidden, Q query heads, K key/value heads, D head
// size, F feed-forward width.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "checkpoint/hf_config.h"

namespace helio::nn {

// weight * x / sqrt(mean(x^2) + eps) over the last dimension; computed in f32, rounded to x's type
// before the weight is applied.
at::Tensor rms_norm(const at::Tensor& x_NH, const at::Tensor& weight_H, double eps);

// silu(gate) * up, where gate is the first half of the last dimension and up the second.
at::Tensor swiglu(const at::Tensor& gate_up_N2F);

// Rotation frequencies, f32 [D/2]: default, "linear" (divided by the factor) or "llama3"
// (Llama 3.1's blend by wavelength).
at::Tensor rope_frequencies(int64_t head_dim, double theta, const checkpoint::RopeScaling& scaling);

// Angles of each position: cosine and sine, f32 [N, D/2].
struct Rotation {
  at::Tensor cos = {}, sin = {};
};
Rotation rope_rotation(const at::Tensor& frequencies, const at::Tensor& positions_N);

// Rotates pairs (x[i], x[i + D/2]) of x [N, heads, D] ("rotate half").
at::Tensor rope(const at::Tensor& x_NhD, const Rotation& rotation);

struct Heads {
  int64_t query = 0, key_value = 0, size = 0;
};
// Causal attention of packed documents: rotates queries and keys, then each token attends to the
// tokens of its own document up to itself. qkv [N, (Q + 2K) * D] holds queries, keys and values of
// each token side by side; `lengths` are the documents' lengths, in order, and add up to N. Returns
// [N, Q * D].
at::Tensor packed_attention(const at::Tensor& qkv, const Rotation& rotation, const Heads& heads,
                            const std::vector<int64_t>& lengths);

}  // namespace helio::nn
