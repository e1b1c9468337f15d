#include "model/decoder_layer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>

#include <cmath>

#include "nn/experts.h"

namespace helio::model {
namespace {

using checkpoint::Activation;
using checkpoint::DecoderConfig;
using checkpoint::QkNorm;

nn::AttentionRule attention_rule(const DecoderConfig& c, bool slides) {
  nn::AttentionRule rule{.softcap = c.attention_softcap, .window = slides ? c.window : 0};
  if (c.query_scalar != 0 && c.query_scalar != c.head_dim)
    rule.scale = 1 / std::sqrt(static_cast<double>(c.query_scalar));
  return rule;
}

}  // namespace

DecoderLayer::DecoderLayer(const DecoderConfig& config, int64_t index)
    : config_(&config),
      slides_(config.slides(index)),
      routed_(config.has_experts(index)),
      rule_(attention_rule(config, slides_)) {}

void DecoderLayer::add(Role role, const at::Tensor& weight) {
  weights_[static_cast<size_t>(role)].push_back(weight);
}

at::Tensor DecoderLayer::one(Role role) const {
  return all(role).empty() ? at::Tensor() : all(role).front();
}

std::vector<at::Tensor> DecoderLayer::present(std::initializer_list<Role> roles) const {
  std::vector<at::Tensor> list;
  for (const Role role : roles)
    if (const at::Tensor weight = one(role); weight.defined()) list.push_back(weight);
  return list;
}

at::Tensor DecoderLayer::norm(const at::Tensor& x, Role role) const {
  const at::Tensor weight = one(role);
  if (!weight.defined()) return x;
  return nn::rms_norm(x, weight, config_->rms_norm_eps, config_->norm_weight);
}

at::Tensor DecoderLayer::project(const at::Tensor& x) const {
  const at::Tensor qkv = nn::joint_linear(x, present({Role::qkv, Role::q, Role::k, Role::v}),
                                          present({Role::q_bias, Role::k_bias, Role::v_bias}));
  if (config_->qk_norm == QkNorm::none) return qkv;
  const int64_t tokens = qkv.size(0), size = config_->head_dim;
  const int64_t q_width = config_->heads * size, kv_width = config_->kv_heads * size;
  const auto parts = qkv.split_with_sizes({q_width, kv_width, kv_width}, 1);
  const auto normalised = [&](const at::Tensor& part, Role role) {
    if (config_->qk_norm == QkNorm::all_heads) return norm(part.contiguous(), role);
    return norm(part.reshape({-1, size}).contiguous(), role).view({tokens, -1});
  };
  return at::cat({normalised(parts[0], Role::q_norm), normalised(parts[1], Role::k_norm), parts[2]},
                 1);
}

at::Tensor DecoderLayer::feed_forward(const at::Tensor& x) const {
  const at::Tensor gate_up = nn::joint_linear(x, present({Role::gate_up, Role::gate, Role::up}),
                                              present({Role::gate_bias, Role::up_bias}));
  return config_->activation == Activation::silu ? nn::swiglu(gate_up) : nn::geglu(gate_up);
}

at::Tensor DecoderLayer::add_to_residual(const at::Tensor& x, const at::Tensor& y, Role weight,
                                         Role bias, Role out_norm) const {
  const at::Tensor add = one(bias);
  if (one(out_norm).defined())
    return x + norm(at::linear(y, one(weight), add.defined() ? std::optional(add) : std::nullopt),
                    out_norm);
  // Without a pass of its own for the sum.
  const at::Tensor sum = at::addmm(x, y, one(weight).t());
  return add.defined() ? sum + add : sum;
}

at::Tensor DecoderLayer::run(const at::Tensor& x_NH, const Attend& attend) const {
  const at::Tensor attended = attend(project(norm(x_NH, Role::attention_in_norm)));
  const at::Tensor middle =
      add_to_residual(x_NH, attended, Role::o, Role::o_bias, Role::attention_out_norm);
  const at::Tensor inner = norm(middle, Role::mlp_in_norm);
  if (routed_) {
    const nn::ExpertWeights experts{
        .gate_FH = all(Role::gate), .up_FH = all(Role::up), .down_HF = all(Role::down)};
    return middle + norm(nn::routed_experts(inner, one(Role::router), experts, config_->experts),
                         Role::mlp_out_norm);
  }
  return add_to_residual(middle, feed_forward(inner), Role::down, Role::down_bias,
                         Role::mlp_out_norm);
}

}  // namespace helio::model
