// AdamW (Loshchilov & Hutter 2019) over a decoder's weights, with LibTorch's fused kernel. The same
// numbers as torch.optim.AdamW with decay on tensors of two dimensions only (norms are left alone).
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <functional>
#include <vector>

#include "model/decoder.h"

namespace helio::train {

class Optimizer {
 public:
  struct Options {
    double beta1 = 0.9, beta2 = 0.95, eps = 1e-8, weight_decay = 0.0;
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
  // Both moments, as exp_avg.NAME and exp_avg_sq.NAME.
  void save(const std::filesystem::path& file) const;
  void load(const std::filesystem::path& file, int64_t steps);

 private:
  struct Group {  // parameters with the same decay
    std::vector<at::Tensor> weights = {}, first = {}, second = {}, steps = {};
    std::vector<std::string> names = {};
    double decay = 0;
  };
  std::vector<at::Tensor> grads(const Group& group) const;

  Options options_;
  std::vector<Group> groups_;
  int64_t steps_ = 0;
};

}  // namespace helio::train
