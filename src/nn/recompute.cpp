#include "nn/recompute.h"

#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <utility>

namespace helio::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// What the backward pass calls, in a form that a context can hold.
struct Run final : torch::CustomClassHolder {
  std::function<at::Tensor(const at::Tensor&)> body;
  explicit Run(std::function<at::Tensor(const at::Tensor&)> b) : body(std::move(b)) {}
};

struct Recomputed : Function<Recomputed> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, at::TensorList weights,
                            const c10::intrusive_ptr<Run>& run) {
    variable_list saved = {x};
    saved.insert(saved.end(), weights.begin(), weights.end());
    context->save_for_backward(std::move(saved));
    context->saved_data["run"] = c10::IValue::make_capsule(run);
    return run->body(x);
  }

  static variable_list backward(AutogradContext* context, variable_list grad) {
    const auto saved = context->get_saved_variables();
    const auto capsule = context->saved_data["run"].toCapsule();
    const at::Tensor x = saved[0].detach().set_requires_grad(saved[0].requires_grad());
    variable_list wanted;
    std::vector<size_t> places;
    for (size_t i = 0; i < saved.size(); ++i)
      if (saved[i].requires_grad()) {
        wanted.push_back(i == 0 ? x : saved[i]);
        places.push_back(i);
      }
    variable_list all(saved.size() + 1);  // one for `run`
    const c10::AutoGradMode with_grad(true);
    const at::Tensor y = static_cast<const Run&>(*capsule).body(x);
    variable_list found = torch::autograd::grad({y}, wanted, {grad[0]}, /*retain_graph=*/false,
                                                /*create_graph=*/false, /*allow_unused=*/true);
    for (size_t i = 0; i < places.size(); ++i) all[places[i]] = std::move(found[i]);
    return all;
  }
};

// What the backward pass of a layer with lent weights needs. The weights are no inputs of the
// function: their memory is not there between its two halves, and their gradients go elsewhere.
struct LentRun final : torch::CustomClassHolder {
  std::function<at::Tensor(const at::Tensor&)> body;
  std::vector<at::Tensor> weights;
  LentWeights& lender;
  int64_t layer;
  LentRun(std::function<at::Tensor(const at::Tensor&)> b, std::vector<at::Tensor> w, LentWeights& l,
          int64_t i)
      : body(std::move(b)), weights(std::move(w)), lender(l), layer(i) {}

  at::Tensor forward(const at::Tensor& x) const {
    lender.bring(layer, Pass::forward);
    at::Tensor y = body(x);
    lender.drop(layer);
    return y;
  }
};

struct RecomputedLent : Function<RecomputedLent> {
  // `anchor` needs a gradient, so that the layer has a backward pass whatever x is.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor&,
                            const c10::intrusive_ptr<LentRun>& run) {
    context->save_for_backward({x});
    context->saved_data["run"] = c10::IValue::make_capsule(run);
    return run->forward(x);
  }

  static variable_list backward(AutogradContext* context, variable_list grad) {
    const auto capsule = context->saved_data["run"].toCapsule();
    const LentRun& run = static_cast<const LentRun&>(*capsule);
    const at::Tensor saved = context->get_saved_variables()[0];
    const at::Tensor x = saved.detach().set_requires_grad(saved.requires_grad());
    run.lender.bring(run.layer, Pass::backward);
    variable_list wanted;
    if (x.requires_grad()) wanted.push_back(x);
    for (const at::Tensor& weight : run.weights)
      if (weight.requires_grad()) wanted.push_back(weight);
    variable_list found;
    if (!wanted.empty()) {
      const c10::AutoGradMode with_grad(true);
      found = torch::autograd::grad({run.body(x)}, wanted, {grad[0]}, /*retain_graph=*/false,
                                    /*create_graph=*/false, /*allow_unused=*/true);
    }
    run.lender.drop(run.layer);
    size_t next = x.requires_grad() ? 1 : 0;
    std::vector<at::Tensor> gradients;
    for (const at::Tensor& weight : run.weights)
      gradients.push_back(weight.requires_grad() ? std::move(found[next++]) : at::Tensor());
    run.lender.give(run.layer, std::move(gradients));
    return {x.requires_grad() ? std::move(found[0]) : at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor recomputed(const at::Tensor& x, const std::vector<at::Tensor>& weights,
                      std::function<at::Tensor(const at::Tensor&)> run) {
  bool records = x.requires_grad();
  for (const at::Tensor& weight : weights) records = records || weight.requires_grad();
  if (!records || !c10::GradMode::is_enabled()) return run(x);
  return Recomputed::apply(x, at::TensorList(weights), c10::make_intrusive<Run>(std::move(run)));
}

at::Tensor recomputed(const at::Tensor& x, const std::vector<at::Tensor>& weights,
                      std::function<at::Tensor(const at::Tensor&)> run, LentWeights& lender,
                      int64_t layer) {
  const auto lent = c10::make_intrusive<LentRun>(std::move(run), weights, lender, layer);
  if (!c10::GradMode::is_enabled()) return lent->forward(x);
  const at::Tensor anchor = at::zeros({}, x.options()).set_requires_grad(true);
  return RecomputedLent::apply(x, anchor, lent);
}

}  // namespace helio::nn
