// The optimiser of a run: which rule (optimizers/rule.h) each weight follows, and the gradient's
// norm. Decay is on weights of two dimensions only (norms and biases are left alone).
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/safetensors.h"
#include "model/decoder.h"
#include "train/optimizers/rule.h"

namespace helio::train {

class Optimizer {
 public:
  // "muon": matrices inside the layers by Muon, all else (embedding, head, norms, biases) by AdamW.
  struct Options {
    double beta1 = 0.9, beta2 = 0.95, eps = 1e-8, weight_decay = 0.0;
    std::string kind = "adamw";  // "adamw", "adamw8bit", "muon", "adafactor"
    double momentum = 0.95;      // Muon's
    MuonScale muon_scale = MuonScale::as_adamw;
  };
  Optimizer(const std::vector<model::Decoder::Named>& parameters, Options options);

  // L2 norm over all gradients. Above max_norm (0: never) they are scaled by
  // max_norm / (norm + 1e-6), as torch.nn.utils.clip_grad_norm_ does. Returns the norm before.
  // `whole` makes of the norm of these gradients that of all, where others have the rest.
  double clip(
      double max_norm,
      const std::function<double(double)>& whole = [](double norm) { return norm; });
  void step(double lr);
  void clear_grads();

  int64_t steps() const { return steps_; }
  // The rules' state, by their names.
  std::vector<nn::NamedTensor> state() const;
  void load(const checkpoint::SafeTensors& file, int64_t steps);

 private:
  std::vector<Slot> slots_ = {};  // of all weights, in the parameters' order
  std::vector<std::unique_ptr<UpdateRule>> rules_ = {};
  int64_t steps_ = 0;
};

}  // namespace helio::train
