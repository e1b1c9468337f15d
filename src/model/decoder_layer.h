// One layer of a decoder: its weights by their roles, and what it makes of the residual stream.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "checkpoint/decoder_weights.h"
#include "model/packed_layer.h"
#include "nn/layers.h"
#include "nn/prepared_linear.h"

namespace helio::model {

class DecoderLayer {
 public:
  // `config` outlives the layer.
  DecoderLayer(const checkpoint::DecoderConfig& config, int64_t index);

  // In the order of layer_weights: of several with one role, the next expert's.
  void add(checkpoint::Role role, const at::Tensor& weight);

  // For running only: makes packed() of the weights. But for f32, which shares them, the matrices
  // are then gone from here, and run() computes with the packed ones. The router stays f32.
  void pack(nn::WeightFormat format);
  // What run_packed_layer() runs; null before pack().
  const PackedLayer* packed() const { return packed_ ? &*packed_ : nullptr; }

  // Turns queries, keys and values [N, (Q + 2K) D], not yet rotated, into attended values [N, Q D].
  using Attend = std::function<at::Tensor(const at::Tensor& qkv)>;
  at::Tensor run(const at::Tensor& x_NH, const Attend& attend,
                 at::ScalarType products = at::kFloat) const;
  // All of its weights that are tensors.
  std::vector<at::Tensor> weights() const;

  const nn::AttentionRule& rule() const { return rule_; }
  bool slides() const { return slides_; }

 private:
  using Role = checkpoint::Role;
  const std::vector<at::Tensor>& all(Role role) const { return weights_[size_t(role)]; }
  at::Tensor one(Role role) const;  // undefined when the layer has none
  std::vector<at::Tensor> present(std::initializer_list<Role> roles) const;

  // Are the matrices only in packed_?
  bool only_packed() const { return packed_ && packed_->o.format() != nn::WeightFormat::f32; }
  std::vector<float> floats(std::initializer_list<Role> roles) const;  // one after another
  std::vector<float> norm_floats(Role role) const;
  at::Tensor norm(const at::Tensor& x, Role role) const;  // x itself without such a norm
  nn::Prepared normed(const at::Tensor& x, Role role) const;
  at::Tensor joint(const nn::Prepared& y, const nn::PackedWeight* packed,
                   std::initializer_list<Role> weights, std::initializer_list<Role> biases,
                   at::ScalarType products) const;
  at::Tensor project(const nn::Prepared& y, at::ScalarType products) const;
  nn::Prepared feed_forward(const nn::Prepared& y, at::ScalarType products) const;
  // x + y @ weight^T + bias, y's part normalised first where the family does so.
  at::Tensor add_to_residual(const at::Tensor& x, const nn::Prepared& y, Role weight, Role bias,
                             Role norm, at::ScalarType products) const;

  const checkpoint::DecoderConfig* config_;
  bool slides_, routed_;
  nn::AttentionRule rule_;
  std::array<std::vector<at::Tensor>, checkpoint::kRoles> weights_ = {};
  std::optional<PackedLayer> packed_ = {};
};

}  // namespace helio::model
