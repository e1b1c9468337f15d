#include "train/optimizer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <c10/core/GradMode.h>

#include "core/error.h"
#include "nn/tensor_io.h"
#include "nn/torch_error.h"

namespace helio::train {
namespace {

// Muon is for what maps one hidden vector to another.
bool inside_layers(const Slot& slot) {
  return slot.weight.dim() == 2 && slot.name.find(".layers.") != std::string::npos;
}

}  // namespace

Optimizer::Optimizer(const std::vector<model::Decoder::Named>& parameters, Options options) {
  // Weights without decay come last, as they always did: sums over gradients keep their order.
  for (const bool decays : {true, false})
    for (const auto& [name, tensor] : parameters)
      if ((tensor.dim() >= 2) == decays)
        slots_.push_back({name, tensor, decays ? options.weight_decay : 0.0});
  const AdamWOptions adam{options.beta1, options.beta2, options.eps};
  if (options.kind == "adamw") {
    rules_.push_back(adamw(slots_, adam));
  } else if (options.kind == "adafactor") {
    rules_.push_back(adafactor(slots_));
  } else if (options.kind == "adamw8bit") {
    std::vector<Slot> large, small;
    for (const Slot& slot : slots_)
      (slot.weight.numel() >= kLeastFor8bit ? large : small).push_back(slot);
    rules_.push_back(adamw8bit(std::move(large), adam));
    rules_.push_back(adamw(std::move(small), adam));
  } else {
    HELIO_CHECK(options.kind == "muon", "an optimiser that exists");
    std::vector<Slot> matrices, others;
    for (const Slot& slot : slots_) (inside_layers(slot) ? matrices : others).push_back(slot);
    rules_.push_back(
        muon(std::move(matrices), {.momentum = options.momentum, .scale = options.muon_scale}));
    rules_.push_back(adamw(std::move(others), adam));
  }
}

double Optimizer::clip(double max_norm, const std::function<double(double)>& whole) {
  return nn::with_torch_errors(
      [] { return "measuring the gradient"; },
      [&] {
        const c10::AutoGradMode no_grad(false);
        std::vector<at::Tensor> all;
        for (const Slot& slot : slots_) all.push_back(gradient_of(slot));
        const double own =
            all.empty() ? 0
                        : at::linalg_vector_norm(at::stack(at::_foreach_norm(all))).item<double>();
        const double value = whole(own);
        if (max_norm > 0 && value > max_norm && !all.empty())
          at::_foreach_mul_(all, max_norm / (value + 1e-6));
        return value;
      });
}

void Optimizer::step(double lr) {
  nn::with_torch_errors([] { return "updating the weights"; },
                        [&] {
                          const c10::AutoGradMode no_grad(false);
                          ++steps_;
                          for (const auto& rule : rules_) rule->step(lr, steps_);
                        });
}

void Optimizer::clear_grads() {
  for (Slot& slot : slots_) slot.weight.mutable_grad().reset();
}

std::vector<nn::NamedTensor> Optimizer::state() const {
  std::vector<nn::NamedTensor> all;
  for (const auto& rule : rules_)
    for (auto& tensor : rule->state()) all.push_back(std::move(tensor));
  return all;
}

void Optimizer::load(const checkpoint::SafeTensors& file, int64_t steps) {
  for (const auto& [name, tensor] : state()) {
    if (tensor.is_floating_point()) {
      nn::read_tensor_into(file, file.at(name), tensor);
      continue;
    }
    const at::Tensor codes = nn::read_tensor(file, file.at(name));
    if (codes.sizes() != tensor.sizes() || codes.scalar_type() != tensor.scalar_type())
      throw Error(ErrorKind::invalid, "tensor '" + name + "' is not the state of this optimiser");
    tensor.copy_(codes);
  }
  steps_ = steps;
}

}  // namespace helio::train
