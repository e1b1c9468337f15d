// What a decoder is made of (for decoder.cpp, decoder_io.cpp and decoder_packed.cpp).
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>

#include <cmath>
#include <functional>
#include <optional>

#include "checkpoint/decoder_weights.h"
#include "core/error.h"
#include "model/decoder.h"
#include "model/decoder_layer.h"
#include "nn/rotary.h"

namespace helio::model {

// Throws invalid for sizes that make no decoder.
void check_decoder_config(const checkpoint::DecoderConfig& config);
// Gemma's embeddings are multiplied by a number that has the weights' type.
double embedding_scale(const checkpoint::DecoderConfig& config, at::ScalarType dtype);

// Where packed weights come from: each in f32, asked for in the model's order.
struct Decoder::Source {
  nn::WeightFormat format = nn::WeightFormat::f32;
  std::function<at::Tensor(const checkpoint::DecoderWeight&)> read = {};
};

struct Decoder::Impl {
  // The rotation of each kind of layer for some positions.
  struct Rotations {
    nn::Rotation full = {}, sliding = {};
  };

  checkpoint::DecoderConfig config;
  at::ScalarType dtype;
  std::vector<Named> parameters;
  at::Tensor embedding, norm, head;  // head is the embedding when tied; undefined: only packed
  std::optional<nn::WeightFormat> format = {};               // of a packed one
  nn::PackedWeight packed_embedding = {}, packed_head = {};  // the first only where they differ
  std::vector<DecoderLayer> layers;
  std::optional<nn::Rotary> rotary, sliding_rotary;  // sliding layers', where theirs is another
  nn::Heads heads;
  double scale;  // of embeddings
  ForwardOptions forward = {};

  Impl(checkpoint::DecoderConfig c, at::ScalarType type, const Source* source = nullptr)
      : config(std::move(c)), dtype(type), scale(embedding_scale(config, type)) {
    check_decoder_config(config);
    heads = {.query = config.heads, .key_value = config.kv_heads, .size = config.head_dim};
    const auto rotating =
        static_cast<int64_t>(static_cast<double>(config.head_dim) * config.rotary_share);
    rotary.emplace(rotating, config.rope_theta, config.rope);
    if (config.sliding_rope)
      sliding_rotary.emplace(rotating, config.sliding_rope->theta, config.sliding_rope->scaling);
    const auto outer = checkpoint::outer_weights(config);
    embedding = add(outer[0], source);
    for (int64_t i = 0; i < config.layers; ++i) {
      layers.emplace_back(config, i);
      for (const auto& weight : checkpoint::layer_weights(config, i, config.experts.count))
        layers.back().add(weight.role, add(weight, source));
      if (source) layers.back().pack(source->format);
    }
    norm = add(outer[1], source);
    head = config.tied_embeddings ? embedding : add(outer[2], source);
    if (source) pack_outer(source->format);
  }
  // Layers point at the config.
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  at::Tensor add(const checkpoint::DecoderWeight& weight, const Source* source) {
    at::Tensor tensor =
        source ? source->read(weight) : at::empty(weight.shape, at::TensorOptions(dtype));
    tensor.set_requires_grad(!source);
    // Matrices that will only be held packed are no parameters: nothing else keeps them.
    if (!source || source->format == nn::WeightFormat::f32 || weight.shape.size() == 1 ||
        weight.role == checkpoint::Role::router)
      parameters.push_back({weight.name, tensor});
    return tensor;
  }

  // Positions are checked here, ids by the embedding.
  void check_positions(const at::Tensor& positions) const {
    if (positions.numel() == 0) return;
    const int64_t last = positions.max().item<int64_t>(), longest = config.longest_sequence();
    if (longest > 0 && last >= longest) {
      throw Error(ErrorKind::invalid, "a sequence of " + std::to_string(last + 1) +
                                          " tokens is longer than the model's " +
                                          std::to_string(longest) + " positions");
    }
  }

  Rotations rotations(const at::Tensor& positions, const std::vector<int64_t>& lengths) const {
    Rotations both{.full = rotary->rotation(positions, lengths)};
    both.sliding = sliding_rotary ? sliding_rotary->rotation(positions, lengths) : both.full;
    return both;
  }
  // Do the cached tokens of sequences of `length` stand as they would in longer ones?
  bool alike(int64_t length, int64_t longer) const {
    return rotary->alike(length, longer) &&
           (!sliding_rotary || sliding_rotary->alike(length, longer));
  }

  at::Tensor embed(const at::Tensor& ids) const {
    const at::Tensor x_NH = embedding.defined() ? at::embedding(embedding, ids.reshape({-1}))
                                                : packed_rows(ids.reshape({-1}));
    return scale == 1 ? x_NH : x_NH * scale;
  }
  at::Tensor final_norm(const at::Tensor& x_NH) const {
    return nn::rms_norm(x_NH, norm, config.rms_norm_eps, config.norm_weight);
  }
  at::Tensor products_of_head(const at::Tensor& hidden) const {
    return packed_head.defined() ? packed_head.product(hidden)
                                 : at::linear(hidden, head).to(at::kFloat);
  }

  // Of a packed one (decoder_packed.cpp).
  void pack_outer(nn::WeightFormat format);
  at::Tensor packed_rows(const at::Tensor& ids_N) const;
  bool runs_packed(PagedCache& cache) const;
  at::Tensor run_packed(const at::Tensor& ids_N, PagedCache& cache,
                        std::span<const nn::PagedStep> steps, const Rotations& rotations) const;

  at::Tensor run_cached(const at::Tensor& ids_Bt, KvCache& cache) const;
};

}  // namespace helio::model
