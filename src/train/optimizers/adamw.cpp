#include <ATen/TensorOperators.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros_like.h>

#include <map>

#include "core/error.h"
#include "train/optimizers/rule.h"

namespace helio::train {

at::Tensor gradient_of(const Slot& slot) {
  at::Tensor grad = slot.weight.grad();
  HELIO_CHECK(grad.defined(), "no gradient for " + slot.name);
  return grad;
}

namespace {

class AdamW final : public UpdateRule {
 public:
  AdamW(std::vector<Slot> slots, AdamWOptions options) : options_(options) {
    for (Slot& slot : slots) {
      Group& group = groups_[slot.decay];
      group.weights.push_back(slot.weight);
      group.first.push_back(at::zeros_like(slot.weight.detach()));
      group.second.push_back(at::zeros_like(slot.weight.detach()));
      group.steps.push_back(at::full({}, 0.0F, at::TensorOptions(at::kFloat)));
      group.slots.push_back(std::move(slot));
    }
  }

  void step(double lr, int64_t step) override {
    for (auto& [decay, group] : groups_) {
      std::vector<at::Tensor> grads;
      for (const Slot& slot : group.slots) grads.push_back(gradient_of(slot));
      for (at::Tensor& count : group.steps) count.fill_(static_cast<double>(step));
      at::_fused_adamw_(group.weights, grads, group.first, group.second, {}, group.steps, lr,
                        options_.beta1, options_.beta2, decay, options_.eps,
                        /*amsgrad=*/false, /*maximize=*/false);
    }
  }

  std::vector<nn::NamedTensor> state() const override {
    std::vector<nn::NamedTensor> tensors;
    for (const auto& [decay, group] : groups_)
      for (size_t i = 0; i < group.slots.size(); ++i) {
        tensors.push_back({"exp_avg." + group.slots[i].name, group.first[i]});
        tensors.push_back({"exp_avg_sq." + group.slots[i].name, group.second[i]});
      }
    return tensors;
  }

 private:
  struct Group {  // weights with the same decay
    std::vector<Slot> slots = {};
    std::vector<at::Tensor> weights = {}, first = {}, second = {}, steps = {};
  };

  AdamWOptions options_;
  std::map<double, Group> groups_ = {};
};

}  // namespace

std::unique_ptr<UpdateRule> adamw(std::vector<Slot> slots, AdamWOptions options) {
  return std::make_unique<AdamW>(std::move(slots), options);
}

}  // namespace helio::train
