#include "nn/prepared_linear.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <utility>

#include "nn/layers.h"
#include "nn/products.h"

namespace helio::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// The tensors of a call in one list: x, the weights of `run`, the layer's weights, the residual.
struct Layout final : torch::CustomClassHolder {
  std::function<at::Tensor(const at::Tensor&)> run;
  size_t preparing = 0, weights = 0;
  int64_t residual_dim = -1;  // -1: there is none
  at::ScalarType products = at::kFloat;

  size_t first_weight() const { return 1 + preparing; }
  size_t residual() const { return 1 + preparing + weights; }
  std::vector<at::Tensor> weights_of(at::TensorList all) const {
    const auto first = all.begin() + static_cast<ptrdiff_t>(first_weight());
    return {first, first + static_cast<ptrdiff_t>(weights)};
  }
};

// In the products' type: each weight is rounded on its way to its place.
at::Tensor joint(const std::vector<at::Tensor>& weights, at::ScalarType type) {
  if (weights.size() == 1) return weights.front().to(type);
  if (type == weights.front().scalar_type()) return at::cat(weights);
  int64_t rows = 0;
  for (const at::Tensor& weight : weights) rows += weight.size(0);
  at::Tensor all = at::empty({rows, weights.front().size(1)}, at::TensorOptions(type));
  rows = 0;
  for (const at::Tensor& weight : weights) {
    all.slice(0, rows, rows + weight.size(0)).copy_(weight);
    rows += weight.size(0);
  }
  return all;
}

// `w` has the products' type; y is rounded here, so that nobody keeps rounded copies.
at::Tensor rounded_product(const at::Tensor& y, const at::Tensor& w, const at::Tensor& residual,
                           at::ScalarType type) {
  if (type == y.scalar_type()) return product(y, w, residual);
  const at::Tensor out = at::mm(y.to(type), w.t()).to(y.scalar_type());
  return residual.defined() ? out + residual : out;
}

struct PreparedLinear : Function<PreparedLinear> {
  static at::Tensor forward(AutogradContext* context, at::TensorList all,
                            const c10::intrusive_ptr<Layout>& layout) {
    context->save_for_backward(
        {all.begin(), all.begin() + static_cast<ptrdiff_t>(layout->residual())});
    context->saved_data["layout"] = c10::IValue::make_capsule(layout);
    const at::Tensor residual = layout->residual_dim < 0 ? at::Tensor() : all[layout->residual()];
    return rounded_product(layout->run(all[0]), joint(layout->weights_of(all), layout->products),
                           residual, layout->products);
  }

  static variable_list backward(AutogradContext* context, variable_list grad) {
    const auto capsule = context->saved_data["layout"].toCapsule();
    const Layout& layout = static_cast<const Layout&>(*capsule);
    const auto saved = context->get_saved_variables();
    const at::Tensor d = grad[0].to(layout.products);
    variable_list all(saved.size() + (layout.residual_dim < 0 ? 0 : 1) + 1);  // the last: no tensor
    if (layout.residual_dim >= 0)
      all[layout.residual()] = layout.residual_dim == 1 ? grad[0].sum(0) : grad[0];

    // The input once more, with its own graph.
    variable_list wanted;
    std::vector<size_t> places;
    const at::Tensor x = saved[0].detach().set_requires_grad(saved[0].requires_grad());
    for (size_t i = 0; i < layout.first_weight(); ++i)
      if (saved[i].requires_grad()) {
        wanted.push_back(i == 0 ? x : saved[i]);
        places.push_back(i);
      }
    at::Tensor y;
    {
      const c10::AutoGradMode with_grad(!wanted.empty());
      y = layout.run(x);
    }
    const auto weights = layout.weights_of(saved);
    if (std::any_of(weights.begin(), weights.end(),
                    [](const at::Tensor& w) { return w.requires_grad(); })) {
      const at::Tensor d_joint =
          d.t().mm(y.detach().to(layout.products)).to(weights.front().scalar_type());
      int64_t first = 0;
      for (size_t i = 0; i < weights.size(); ++i) {
        const int64_t last = first + weights[i].size(0);
        if (weights[i].requires_grad())
          all[layout.first_weight() + i] =
              weights.size() == 1 ? d_joint : d_joint.slice(0, first, last);
        first = last;
      }
    }
    if (wanted.empty()) return all;
    const at::Tensor d_y = product(d, joint(weights, layout.products).t()).to(y.scalar_type());
    variable_list found = torch::autograd::grad({y}, wanted, {d_y}, /*retain_graph=*/false);
    for (size_t i = 0; i < places.size(); ++i) all[places[i]] = std::move(found[i]);
    return all;
  }
};

bool needs_gradient(const at::Tensor& tensor) { return tensor.requires_grad(); }

}  // namespace

at::Tensor prepared_linear(const Prepared& input, const std::vector<at::Tensor>& weights,
                           const Addend& addend, at::ScalarType products) {
  if (input.x.scalar_type() != at::kFloat) products = input.x.scalar_type();
  const auto residual = [&] {
    if (addend.biases.empty()) return addend.residual;
    return addend.biases.size() == 1 ? addend.biases.front() : at::cat(addend.biases);
  };
  constexpr int64_t kManyRows = 64;  // fewer: joint_linear keeps weights apart
  const bool many = input.x.size(0) >= kManyRows;
  if (many && c10::GradMode::is_enabled()) {
    std::vector<at::Tensor> all = {input.x};
    all.insert(all.end(), input.weights.begin(), input.weights.end());
    all.insert(all.end(), weights.begin(), weights.end());
    auto layout = c10::make_intrusive<Layout>();
    layout->run = input.run;
    layout->preparing = input.weights.size();
    layout->weights = weights.size();
    layout->products = products;
    if (const at::Tensor added = residual(); added.defined()) {
      layout->residual_dim = added.dim();
      all.push_back(added);
    }
    if (std::any_of(all.begin(), all.end(), needs_gradient))
      return PreparedLinear::apply(at::TensorList(all), layout);
  }
  const at::Tensor y = input.run(input.x);
  if (!addend.residual.defined() && products == y.scalar_type())
    return joint_linear(y, weights, addend.biases);
  return rounded_product(y, joint(weights, products), residual(), products);
}

}  // namespace helio::nn
