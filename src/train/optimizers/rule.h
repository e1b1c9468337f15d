// How weights follow from their gradients: one rule for some of the weights, with its state.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "nn/tensor_io.h"

namespace helio::train {

struct Slot {
  std::string name = {};
  at::Tensor weight = {};
  double decay = 0;  // decoupled: the weight is multiplied by 1 - lr * decay
};

class UpdateRule {
 public:
  virtual ~UpdateRule() = default;
  // Takes the gradients of its weights, and may write over them; `step` counts from 1. Called
  // without gradient mode.
  virtual void step(double lr, int64_t step) = 0;
  // What a checkpoint keeps: named, sharing memory with the rule.
  virtual std::vector<nn::NamedTensor> state() const = 0;
};

// AdamW (Loshchilov & Hutter 2019) by LibTorch's fused kernel, the numbers of torch.optim.AdamW.
// State: exp_avg.NAME, exp_avg_sq.NAME.
struct AdamWOptions {
  double beta1 = 0.9, beta2 = 0.95, eps = 1e-8;
};
std::unique_ptr<UpdateRule> adamw(std::vector<Slot> slots, AdamWOptions options);

// AdamW whose moments are kept as a byte each, 256 with one largest value (Dettmers et al. 2022,
// "8-bit Optimizers via Block-wise Quantization"), the numbers of bitsandbytes' AdamW8bit (0.50).
// For weights of 4096 values and more, as there. State: exp_avg_code.NAME and
// exp_avg_largest.NAME, exp_avg_sq_code.NAME and exp_avg_sq_largest.NAME.
inline constexpr int64_t kLeastFor8bit = 4096;
std::unique_ptr<UpdateRule> adamw8bit(std::vector<Slot> slots, AdamWOptions options);

// Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/), the numbers of
// torch.optim.Muon (2.15): Nesterov momentum, made orthogonal by five Newton-Schulz steps in
// bfloat16, with the step size of each matrix scaled to AdamW's (Liu et al. 2025: 0.2
// sqrt(max(rows, columns))), so that lr and weight decay mean what they mean there; or as first
// published: sqrt(max(1, rows / columns)). Weights have two dimensions. State: momentum.NAME.
enum class MuonScale { as_adamw, original };
struct MuonOptions {
  double momentum = 0.95;
  MuonScale scale = MuonScale::as_adamw;
};
std::unique_ptr<UpdateRule> muon(std::vector<Slot> slots, MuonOptions options);

// Adafactor (Shazeer & Stern 2018) with a given learning rate, the numbers of transformers' (5.23)
// with scale_parameter, relative_step and warmup_init off, clip_threshold 1, decay_rate -0.8, eps
// 1e-30. Of a matrix it keeps a number a row and a column. State: exp_avg_sq_row.NAME,
// exp_avg_sq_col.NAME; exp_avg_sq.NAME of vectors.
std::unique_ptr<UpdateRule> adafactor(std::vector<Slot> slots);

// The gradient; none is an error that names the weight.
at::Tensor gradient_of(const Slot& slot);

}  // namespace helio::train
