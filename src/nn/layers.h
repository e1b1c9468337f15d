// The pieces of a decoder as differentiable functions of tensors. Weights are passed in; nothing
// here holds state. f32 takes fused kernels (nn/kernels.h) where there are any, other types and
// options compositions of ATen's. Numbers follow transformers 5 (models/llama/modeling_llama.py).
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

// The same with the weight as a family applies it: rounded as above; exact: weight * x before
// rounding (OLMo 2); plus_one: (1 + weight) * x before rounding (Gemma).
at::Tensor rms_norm(const at::Tensor& x_NH, const at::Tensor& weight_H, double eps,
                    checkpoint::NormWeight kind);

// x @ weight^T + bias for several weights, side by side: as one product when there are many rows
// (one large product is faster than three small ones), apart when putting the weights together
// would cost more than the product itself. `biases`: none, or one for each weight.
at::Tensor joint_linear(const at::Tensor& x_NH, const std::vector<at::Tensor>& weights,
                        const std::vector<at::Tensor>& biases = {});

// silu(gate) * up, where gate is the first half of the last dimension and up the second.
at::Tensor swiglu(const at::Tensor& gate_up_N2F);

// gelu(gate) * up with GELU's tanh form (Gemma), halves as above.
at::Tensor geglu(const at::Tensor& gate_up_N2F);

// Angles of each position: cosine and sine, f32 [N, R/2], times `factor`.
struct Rotation {
  at::Tensor cos = {}, sin = {};
};
Rotation rope_rotation(const at::Tensor& frequencies, const at::Tensor& positions_N,
                       double factor = 1);

// Rotates pairs (x[i], x[i + R/2]) of x [N, heads, D] ("rotate half") for the first R of the D
// dimensions; the others stay.
at::Tensor rope(const at::Tensor& x_NhD, const Rotation& rotation);

struct Heads {
  int64_t query = 0, key_value = 0, size = 0;
};

// What a layer's attention does otherwise than Llama's.
struct AttentionRule {
  double scale = 0;    // of scores; 0: 1 / sqrt(size)
  double softcap = 0;  // scores s become c tanh(s / c); 0: not capped
  int64_t window = 0;  // a token sees so many tokens, itself included; 0: all before it
};

// Causal attention: the t queries are the last of the L positions. q [B, Q, t, D], keys and values
// [B, K, L, D]; returns [B, Q, t, D].
at::Tensor causal_attention(const at::Tensor& q_BQtD, const at::Tensor& k_BKLD,
                            const at::Tensor& v_BKLD, const AttentionRule& rule);

// By document: where its branches begin, in its tokens; documents without any have an empty list,
// and an empty list of lists is none at all.
using Branches = std::vector<std::vector<int64_t>>;

// Causal attention of packed documents: rotates queries and keys, then each token attends to the
// tokens of its own document up to itself. qkv [N, (Q + 2K) * D] holds queries, keys and values of
// each token side by side; `lengths` are the documents' lengths, in order, and add up to N. Returns
// [N, Q * D]. Branches of a document go on from what stands before the first of them (by their
// positions, which the rotation holds) and do not see each other.
at::Tensor packed_attention(const at::Tensor& qkv, const Rotation& rotation, const Heads& heads,
                            const std::vector<int64_t>& lengths, const AttentionRule& rule = {},
                            const Branches& branches = {});

}  // namespace helio::nn
