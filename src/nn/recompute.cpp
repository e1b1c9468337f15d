#include "nn/recompute.h"

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

}  // namespace

at::Tensor recomputed(const at::Tensor& x, const std::vector<at::Tensor>& weights,
                      std::function<at::Tensor(const at::Tensor&)> run) {
  bool records = x.requires_grad();
  for (const at::Tensor& weight : weights) records = records || weight.requires_grad();
  if (!records || !c10::GradMode::is_enabled()) return run(x);
  return Recomputed::apply(x, at::TensorList(weights), c10::make_intrusive<Run>(std::move(run)));
}

}  // namespace helio::nn
