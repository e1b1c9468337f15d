#include "train/optimizer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <algorithm>

#include "core/error.h"
#include "nn/tensor_io.h"
#include "nn/torch_error.h"

namespace helio::train {

Optimizer::Optimizer(const std::vector<model::Decoder::Named>& parameters, Options options)
    : options_(options), groups_(2) {
  groups_[0].decay = options_.weight_decay;
  for (const auto& [name, tensor] : parameters) {
    Group& group = groups_[tensor.dim() >= 2 ? 0 : 1];
    group.names.push_back(name);
    group.weights.push_back(tensor);
    group.first.push_back(at::zeros_like(tensor.detach()));
    group.second.push_back(at::zeros_like(tensor.detach()));
    group.steps.push_back(at::full({}, 0.0f, at::TensorOptions(at::kFloat)));
  }
}

std::vector<at::Tensor> Optimizer::grads(const Group& group) const {
  std::vector<at::Tensor> grads;
  for (size_t i = 0; i < group.weights.size(); ++i) {
    grads.push_back(group.weights[i].grad());
    HELIO_CHECK(grads.back().defined(), "no gradient for " + group.names[i]);
  }
  return grads;
}

double Optimizer::clip(double max_norm, const std::function<double(double)>& whole) {
  return nn::with_torch_errors(
      [] { return "measuring the gradient"; },
      [&] {
        const c10::AutoGradMode no_grad(false);
        std::vector<at::Tensor> all;
        for (const Group& group : groups_)
          for (at::Tensor& grad : grads(group)) all.push_back(std::move(grad));
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
                          for (Group& group : groups_) {
                            if (group.weights.empty()) continue;
                            for (at::Tensor& step : group.steps)
                              step.fill_(static_cast<double>(steps_));
                            at::_fused_adamw_(group.weights, grads(group), group.first,
                                              group.second, {}, group.steps, lr, options_.beta1,
                                              options_.beta2, group.decay, options_.eps,
                                              /*amsgrad=*/false, /*maximize=*/false);
                          }
                        });
}

void Optimizer::clear_grads() {
  for (Group& group : groups_)
    for (at::Tensor& weight : group.weights) weight.mutable_grad().reset();
}

void Optimizer::save(const std::filesystem::path& file) const {
  std::vector<nn::NamedTensor> tensors;
  for (const Group& group : groups_)
    for (size_t i = 0; i < group.names.size(); ++i) {
      tensors.push_back({"exp_avg." + group.names[i], group.first[i]});
      tensors.push_back({"exp_avg_sq." + group.names[i], group.second[i]});
    }
  nn::write_tensors(file, tensors);
}

void Optimizer::load(const std::filesystem::path& path, int64_t steps) {
  const checkpoint::SafeTensors file(path);
  for (Group& group : groups_)
    for (size_t i = 0; i < group.names.size(); ++i) {
      nn::read_tensor_into(file, file.at("exp_avg." + group.names[i]), group.first[i]);
      nn::read_tensor_into(file, file.at("exp_avg_sq." + group.names[i]), group.second[i]);
    }
  steps_ = steps;
}

}  // namespace helio::train
