#include "model/decoder_layer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
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

nn::Prepared as_it_is(const at::Tensor& x) {
  return {.x = x, .run = [](const at::Tensor& input) { return input; }};
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

std::vector<float> DecoderLayer::floats(std::initializer_list<Role> roles) const {
  std::vector<float> values;
  for (const at::Tensor& part : present(roles)) {
    const at::Tensor numbers = part.detach().to(at::kFloat).contiguous();
    const float* const data = numbers.const_data_ptr<float>();
    values.insert(values.end(), data, data + numbers.numel());
  }
  return values;
}

std::vector<float> DecoderLayer::norm_floats(Role role) const {
  std::vector<float> weight = floats({role});
  if (config_->norm_weight == checkpoint::NormWeight::plus_one)
    for (float& value : weight) value += 1;
  return weight;
}

void DecoderLayer::pack(nn::WeightFormat format) {
  const auto matrix = [&](std::initializer_list<Role> roles) {
    return nn::PackedWeight(format, present(roles));
  };
  packed_ = PackedLayer{
      .qkv = matrix({Role::qkv, Role::q, Role::k, Role::v}),
      .o = matrix({Role::o}),
      .router = one(Role::router),
      .attention_in_norm = norm_floats(Role::attention_in_norm),
      .q_norm = norm_floats(Role::q_norm),
      .k_norm = norm_floats(Role::k_norm),
      .attention_out_norm = norm_floats(Role::attention_out_norm),
      .mlp_in_norm = norm_floats(Role::mlp_in_norm),
      .mlp_out_norm = norm_floats(Role::mlp_out_norm),
      .qkv_bias = floats({Role::q_bias, Role::k_bias, Role::v_bias}),
      .o_bias = floats({Role::o_bias}),
      .gate_up_bias = floats({Role::gate_bias, Role::up_bias}),
      .down_bias = floats({Role::down_bias}),
  };
  if (routed_) {
    for (size_t e = 0; e < all(Role::down).size(); ++e)
      packed_->experts.push_back({.gate_up = {format, {all(Role::gate)[e], all(Role::up)[e]}},
                                  .down = {format, {all(Role::down)[e]}}});
  } else {
    packed_->gate_up = matrix({Role::gate_up, Role::gate, Role::up});
    packed_->down = matrix({Role::down});
  }
  if (!only_packed()) return;
  for (const Role role : {Role::qkv, Role::q, Role::k, Role::v, Role::o, Role::gate_up, Role::gate,
                          Role::up, Role::down})
    weights_[static_cast<size_t>(role)].clear();
}

std::vector<at::Tensor> DecoderLayer::weights() const {
  std::vector<at::Tensor> all;
  for (const auto& of_role : weights_) all.insert(all.end(), of_role.begin(), of_role.end());
  return all;
}

at::Tensor DecoderLayer::joint(const nn::Prepared& y, const nn::PackedWeight* packed,
                               std::initializer_list<Role> weights,
                               std::initializer_list<Role> biases, at::ScalarType products) const {
  const std::vector<at::Tensor> added = present(biases);
  if (packed != nullptr) {
    const at::Tensor product = packed->product(y.run(y.x));
    return added.empty() ? product : product + at::cat(added);
  }
  return nn::prepared_linear(y, present(weights), {.biases = added}, products);
}

at::Tensor DecoderLayer::norm(const at::Tensor& x, Role role) const {
  const at::Tensor weight = one(role);
  if (!weight.defined()) return x;
  return nn::rms_norm(x, weight, config_->rms_norm_eps, config_->norm_weight);
}

nn::Prepared DecoderLayer::normed(const at::Tensor& x, Role role) const {
  const at::Tensor weight = one(role);
  if (!weight.defined()) return as_it_is(x);
  return {.x = x, .weights = {weight}, .run = [this, role](const at::Tensor& input) {
            return norm(input, role);
          }};
}

at::Tensor DecoderLayer::project(const nn::Prepared& y, at::ScalarType products) const {
  const at::Tensor qkv =
      joint(y, only_packed() ? &packed_->qkv : nullptr, {Role::qkv, Role::q, Role::k, Role::v},
            {Role::q_bias, Role::k_bias, Role::v_bias}, products);
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

nn::Prepared DecoderLayer::feed_forward(const nn::Prepared& y, at::ScalarType products) const {
  const at::Tensor gate_up =
      joint(y, only_packed() ? &packed_->gate_up : nullptr, {Role::gate_up, Role::gate, Role::up},
            {Role::gate_bias, Role::up_bias}, products);
  return {.x = gate_up, .run = config_->activation == Activation::silu ? &nn::swiglu : &nn::geglu};
}

at::Tensor DecoderLayer::add_to_residual(const at::Tensor& x, const nn::Prepared& y, Role weight,
                                         Role bias, Role out_norm, at::ScalarType products) const {
  const at::Tensor add = one(bias);
  if (only_packed() || one(out_norm).defined()) {
    const nn::PackedWeight* packed = weight == Role::o ? &packed_->o : &packed_->down;
    return x +
           norm(joint(y, only_packed() ? packed : nullptr, {weight}, {bias}, products), out_norm);
  }
  // Without a pass of its own for the sum.
  const at::Tensor sum = nn::prepared_linear(y, {one(weight)}, {.residual = x}, products);
  return add.defined() ? sum + add : sum;
}

at::Tensor DecoderLayer::run(const at::Tensor& x_NH, const Attend& attend,
                             at::ScalarType products) const {
  const at::Tensor attended = attend(project(normed(x_NH, Role::attention_in_norm), products));
  const at::Tensor middle = add_to_residual(x_NH, as_it_is(attended), Role::o, Role::o_bias,
                                            Role::attention_out_norm, products);
  const nn::Prepared inner = normed(middle, Role::mlp_in_norm);
  if (routed_ && only_packed())
    return middle + norm(run_packed_experts(*packed_, inner.run(inner.x), config_->experts),
                         Role::mlp_out_norm);
  if (routed_) {
    const nn::ExpertWeights experts{
        .gate_FH = all(Role::gate), .up_FH = all(Role::up), .down_HF = all(Role::down)};
    return middle + norm(nn::routed_experts(inner.run(inner.x), one(Role::router), experts,
                                            config_->experts),
                         Role::mlp_out_norm);
  }
  return add_to_residual(middle, feed_forward(inner, products), Role::down, Role::down_bias,
                         Role::mlp_out_norm, products);
}

}  // namespace helio::model
