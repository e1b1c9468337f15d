#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "train/optimizers/rule.h"

namespace helio::train {
namespace {

constexpr double kEps = 1e-30, kClip = 1.0, kDecay = -0.8;

class Adafactor final : public UpdateRule {
 public:
  explicit Adafactor(std::vector<Slot> slots) : slots_(std::move(slots)) {
    for (const Slot& slot : slots_) {
      const at::Tensor weight = slot.weight.detach();
      const auto zeros = [&](int64_t size) { return at::zeros({size}, weight.options()); };
      if (weight.dim() == 2)
        moments_.push_back({.rows = zeros(weight.size(0)), .columns = zeros(weight.size(1))});
      else moments_.push_back({.whole = zeros(weight.numel()).view(weight.sizes())});
    }
  }

  void step(double lr, int64_t step) override {
    const double beta = 1 - std::pow(static_cast<double>(step), kDecay);
    for (size_t i = 0; i < slots_.size(); ++i) {
      const at::Tensor grad = gradient_of(slots_[i]);
      at::Tensor update = scaled(moments_[i], grad, beta), weight = slots_[i].weight;
      const double rms =
          update.norm().item<double>() / std::sqrt(static_cast<double>(update.numel()));
      update.mul_(lr / std::max(1.0, rms / kClip));
      if (slots_[i].decay != 0) weight.mul_(1 - lr * slots_[i].decay);
      weight.sub_(update);
    }
  }

  std::vector<nn::NamedTensor> state() const override {
    std::vector<nn::NamedTensor> tensors;
    for (size_t i = 0; i < slots_.size(); ++i) {
      const std::string& name = slots_[i].name;
      if (moments_[i].whole.defined()) {
        tensors.push_back({"exp_avg_sq." + name, moments_[i].whole});
      } else {
        tensors.push_back({"exp_avg_sq_row." + name, moments_[i].rows});
        tensors.push_back({"exp_avg_sq_col." + name, moments_[i].columns});
      }
    }
    return tensors;
  }

 private:
  struct Moments {  // of a matrix by row and column, of anything else one by one
    at::Tensor rows = {}, columns = {}, whole = {};
  };

  // The gradient over the root of its running mean square, in the gradient's place: nothing as
  // large as the weight is made.
  static at::Tensor scaled(Moments& moments, at::Tensor grad, double beta) {
    if (moments.whole.defined()) {
      moments.whole.mul_(beta).add_(grad.square().add_(kEps), 1 - beta);
      return grad.mul_(moments.whole.rsqrt());
    }
    const auto mean_square = [&](int64_t dim) {
      const at::Tensor norm = at::linalg_vector_norm(grad, 2, at::IntArrayRef{dim});
      return norm.square_().div_(static_cast<double>(grad.size(dim))).add_(kEps);
    };
    moments.rows.mul_(beta).add_(mean_square(1), 1 - beta);
    moments.columns.mul_(beta).add_(mean_square(0), 1 - beta);
    const at::Tensor row = (moments.rows / moments.rows.mean(-1, /*keepdim=*/true)).rsqrt_();
    return grad.mul_(row.unsqueeze(-1)).mul_(moments.columns.rsqrt().unsqueeze(-2));
  }

  std::vector<Slot> slots_;
  std::vector<Moments> moments_ = {};
};

}  // namespace

std::unique_ptr<UpdateRule> adafactor(std::vector<Slot> slots) {
  return std::make_unique<Adafactor>(std::move(slots));
}

}  // namespace helio::train
