// The output head and its loss in one step, in chunks of positions: the [N, V] logits never exist
// as a whole, forward or backward. Everything is computed in f32.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>

namespace helio::nn {

// A target that is not learned.
inline constexpr int64_t kIgnoreTarget = -100;

// The output head: logits are hidden @ weight^T, then softcap * tanh(logits / softcap) unless that
// is 0 (Gemma 2).
struct Head {
  at::Tensor weight_VH = {};
  double softcap = 0;
  at::ScalarType products = at::kFloat;  // the type that factors of products are rounded to
  Head(at::Tensor weight, double cap = 0, at::ScalarType type = at::kFloat)
      : weight_VH(std::move(weight)), softcap(cap), products(type) {}
};

// Sum over n of -log softmax(logits)[targets], as a 0-dim f32 tensor.
// hidden [N, H], weight [V, H], targets [N] int64 (kIgnoreTarget: contributes nothing).
// Gradients are computed in the forward pass (Wijmans et al. 2024, "Cut your losses", in its plain
// chunked form). Equal to at::cross_entropy_loss(..., Sum) to rounding.
at::Tensor linear_cross_entropy_sum(const at::Tensor& hidden_NH, const Head& head,
                                    const at::Tensor& targets_N, int64_t chunk = 1024);

// The same plus weight * (log sum exp(logits))^2 of each position, which keeps logits from drifting
// (Chowdhery et al. 2022, "PaLM", section 5; there 1e-4).
struct RegularisedLoss {
  at::Tensor sum = {};  // of both, 0-dim f32
  double z = 0;         // the second's part of it
};
RegularisedLoss linear_cross_entropy_with_z(const at::Tensor& hidden_NH, const Head& head,
                                            const at::Tensor& targets_N, double weight,
                                            int64_t chunk = 1024);

// log softmax(logits)[targets] for each n: [N] f32, differentiable; 0 where the target
// is kIgnoreTarget. The backward pass computes the logits again.
at::Tensor linear_log_probs(const at::Tensor& hidden_NH, const Head& head,
                            const at::Tensor& targets_N, int64_t chunk = 1024);

}  // namespace helio::nn
