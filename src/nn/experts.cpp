#include "nn/experts.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include "nn/layers.h"

namespace helio::nn {

at::Tensor routed_experts(const at::Tensor& x_NH, const at::Tensor& router_EH, const RunExpert& run,
                          const checkpoint::Experts& experts) {
  const at::Tensor probabilities = at::softmax(at::linear(x_NH, router_EH), -1, at::kFloat);
  auto [share_Nk, chosen_Nk] = at::topk(probabilities, experts.per_token, -1);
  if (experts.renormalise) share_Nk = share_Nk / share_Nk.sum(-1, /*keepdim=*/true);
  std::vector<at::Tensor> tokens, outputs;
  for (int64_t e = 0; e < experts.count; ++e) {
    const auto found = (chosen_Nk == e).nonzero().unbind(1);  // tokens, and which of their choices
    if (found[0].numel() == 0 && !c10::GradMode::is_enabled()) continue;
    const at::Tensor y = run(e, x_NH.index_select(0, found[0]));
    const at::Tensor share = share_Nk.index({found[0], found[1]}).unsqueeze(1);
    tokens.push_back(found[0]);
    outputs.push_back((y * share).to(x_NH.scalar_type()));
  }
  return at::zeros_like(x_NH).index_add(0, at::cat(tokens), at::cat(outputs));
}

at::Tensor routed_experts(const at::Tensor& x_NH, const at::Tensor& router_EH,
                          const ExpertWeights& weights, const checkpoint::Experts& experts) {
  const auto run = [&](int64_t expert, const at::Tensor& x_nH) {
    const auto i = static_cast<size_t>(expert);
    const at::Tensor gate_up = joint_linear(x_nH, {weights.gate_FH[i], weights.up_FH[i]});
    return at::linear(swiglu(gate_up), weights.down_HF[i]);
  };
  return routed_experts(x_NH, router_EH, run, experts);
}

}  // namespace helio::nn
