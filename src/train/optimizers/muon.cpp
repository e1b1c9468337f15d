#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "train/optimizers/rule.h"

namespace helio::train {
namespace {

// The polynomial a x + b x^3 + c x^5 of the singular values, five times.
constexpr double kA = 3.4445, kB = -4.7750, kC = 2.0315, kTiny = 1e-7;
constexpr int kIterations = 5;

at::Tensor orthogonal(const at::Tensor& update) {
  const bool tall = update.size(0) > update.size(1);
  at::Tensor x = update.to(at::kBFloat16);
  if (tall) x = x.t();
  x = x / x.norm().clamp_min(kTiny);
  for (int i = 0; i < kIterations; ++i) {
    const at::Tensor gram = at::mm(x, x.t());
    x = at::addmm(x, at::addmm(gram, gram, gram, kB, kC), x, kA, 1);
  }
  return tall ? x.t() : x;
}

class Muon final : public UpdateRule {
 public:
  Muon(std::vector<Slot> slots, MuonOptions options) : options_(options), slots_(std::move(slots)) {
    for (const Slot& slot : slots_) {
      HELIO_CHECK(slot.weight.dim() == 2, slot.name + " is a matrix");
      momenta_.push_back(at::zeros_like(slot.weight.detach()));
    }
  }

  void step(double lr, int64_t) override {
    for (size_t i = 0; i < slots_.size(); ++i) {
      const Slot& slot = slots_[i];
      at::Tensor grad = gradient_of(slot), weight = slot.weight;
      momenta_[i].lerp_(grad, 1 - options_.momentum);
      const at::Tensor update = orthogonal(grad.lerp(momenta_[i], options_.momentum));
      const auto rows = static_cast<double>(weight.size(0)),
                 columns = static_cast<double>(weight.size(1));
      const double scale = options_.scale == MuonScale::as_adamw
                               ? 0.2 * std::sqrt(std::max(rows, columns))
                               : std::sqrt(std::max(1.0, rows / columns));
      weight.mul_(1 - lr * slot.decay);
      weight.add_(update, -lr * scale);
    }
  }

  std::vector<nn::NamedTensor> state() const override {
    std::vector<nn::NamedTensor> tensors;
    for (size_t i = 0; i < slots_.size(); ++i)
      tensors.push_back({"momentum." + slots_[i].name, momenta_[i]});
    return tensors;
  }

 private:
  MuonOptions options_;
  std::vector<Slot> slots_;
  std::vector<at::Tensor> momenta_ = {};
};

}  // namespace

std::unique_ptr<UpdateRule> muon(std::vector<Slot> slots, MuonOptions options) {
  return std::make_unique<Muon>(std::move(slots), options);
}

}  // namespace helio::train
