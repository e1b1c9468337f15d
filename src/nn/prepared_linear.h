// Linear layers whose input is cheap to make again: what they keep for the backward pass is what
// the input was made from.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

namespace helio::nn {

// An input y = run(x), an elementwise or row-wise function such as a norm or a gated activation,
// that uses no other leaves than `weights`.
struct Prepared {
  at::Tensor x = {};
  std::vector<at::Tensor> weights = {};
  std::function<at::Tensor(const at::Tensor&)> run = {};
};

// What is added to the products: a residual [N, O], or a bias for each weight, or nothing.
struct Addend {
  at::Tensor residual = {};
  std::vector<at::Tensor> biases = {};
};

// y @ [weights]^T, the products side by side, plus the addend. Kept for the backward pass are x and
// the weights themselves: no joint copy of them, and nothing of y. Values and gradients are to the
// bit those of run, joint_linear() or at::addmm one after another. `products` is the type that
// factors are rounded to for each product, forward and backward; what comes and goes keeps its
// type.
at::Tensor prepared_linear(const Prepared& input, const std::vector<at::Tensor>& weights,
                           const Addend& addend = {}, at::ScalarType products = at::kFloat);

}  // namespace helio::nn
