#include "model/decoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <c10/core/GradMode.h>

#include <cmath>

#include "core/error.h"
#include "model/kv_cache.h"
#include "nn/layers.h"
#include "nn/torch_error.h"

namespace helio::model {
namespace {

struct Layer {
  at::Tensor input_norm = {}, q = {}, k = {}, v = {}, o = {};
  at::Tensor post_norm = {}, gate = {}, up = {}, down = {};
};

// Products of one input with several weights: as one product when there are many rows (one large
// product is faster than three small ones), apart when putting the weights together would cost more
// than the product itself.
at::Tensor joint_linear(const at::Tensor& x_NH, const std::vector<at::Tensor>& weights) {
  constexpr int64_t kManyRows = 64;
  if (x_NH.size(0) >= kManyRows) return at::linear(x_NH, at::cat(weights));
  std::vector<at::Tensor> parts;
  for (const at::Tensor& weight : weights) parts.push_back(at::linear(x_NH, weight));
  return at::cat(parts, -1);
}

// x + y @ weight^T without a pass of its own for the sum.
at::Tensor add_linear(const at::Tensor& x_NH, const at::Tensor& y, const at::Tensor& weight) {
  return at::addmm(x_NH, y, weight.t());
}

std::vector<int64_t> document_lengths(const PackedBatch& batch) {
  const int64_t rows = batch.ids_BT.size(0), length = batch.ids_BT.size(1);
  if (batch.starts.empty()) return std::vector<int64_t>(static_cast<size_t>(rows), length);
  HELIO_CHECK(static_cast<int64_t>(batch.starts.size()) == rows, "one list of starts for each row");
  std::vector<int64_t> lengths;
  for (const auto& starts : batch.starts) {
    HELIO_CHECK(!starts.empty() && starts.front() == 0, "the first document of a row starts at 0");
    for (size_t i = 0; i < starts.size(); ++i) {
      lengths.push_back((i + 1 < starts.size() ? starts[i + 1] : length) - starts[i]);
      HELIO_CHECK(lengths.back() > 0, "starts of a row ascend and stay inside it");
    }
  }
  return lengths;
}

void check_config(const checkpoint::DecoderConfig& c) {
  const auto positive = [](const char* key, int64_t value) {
    if (value > 0) return;
    throw Error(ErrorKind::invalid, std::string("a decoder needs a positive ") + key);
  };
  positive("vocab_size", c.vocab_size);
  positive("hidden_size", c.hidden_size);
  positive("intermediate_size", c.intermediate_size);
  positive("num_hidden_layers", c.layers);
  positive("num_attention_heads", c.heads);
  positive("num_key_value_heads", c.kv_heads);
  positive("head_dim", c.head_dim);
  if (c.heads % c.kv_heads != 0) {
    throw Error(ErrorKind::invalid, "num_attention_heads (" + std::to_string(c.heads) +
                                        ") is not a multiple of num_key_value_heads (" +
                                        std::to_string(c.kv_heads) + ")");
  }
  if (c.head_dim % 2 != 0) {
    throw Error(ErrorKind::invalid, "head_dim (" + std::to_string(c.head_dim) + ") must be even");
  }
}

}  // namespace

PackedBatch PackedBatch::rows(at::Tensor ids_BT) {
  const at::Tensor positions = at::arange(ids_BT.size(1), at::TensorOptions(at::kLong));
  return {.ids_BT = ids_BT, .positions_BT = positions.expand_as(ids_BT)};
}

struct Decoder::Impl {
  checkpoint::DecoderConfig config;
  at::ScalarType dtype;
  std::vector<Named> parameters;
  at::Tensor embedding, norm, head;  // head is the embedding when tied
  std::vector<Layer> layers;
  at::Tensor frequencies;
  nn::Heads heads;

  Impl(checkpoint::DecoderConfig c, at::ScalarType type) : config(std::move(c)), dtype(type) {
    check_config(config);
    heads = {.query = config.heads, .key_value = config.kv_heads, .size = config.head_dim};
    frequencies = nn::rope_frequencies(config.head_dim, config.rope_theta, config.rope);
    const int64_t hidden = config.hidden_size, ffn = config.intermediate_size;
    const int64_t q_width = config.heads * config.head_dim,
                  kv_width = config.kv_heads * config.head_dim;
    embedding = add("model.embed_tokens.weight", {config.vocab_size, hidden});
    for (int64_t i = 0; i < config.layers; ++i) {
      const std::string at = "model.layers." + std::to_string(i) + ".";
      Layer layer;
      layer.input_norm = add(at + "input_layernorm.weight", {hidden});
      layer.q = add(at + "self_attn.q_proj.weight", {q_width, hidden});
      layer.k = add(at + "self_attn.k_proj.weight", {kv_width, hidden});
      layer.v = add(at + "self_attn.v_proj.weight", {kv_width, hidden});
      layer.o = add(at + "self_attn.o_proj.weight", {hidden, q_width});
      layer.post_norm = add(at + "post_attention_layernorm.weight", {hidden});
      layer.gate = add(at + "mlp.gate_proj.weight", {ffn, hidden});
      layer.up = add(at + "mlp.up_proj.weight", {ffn, hidden});
      layer.down = add(at + "mlp.down_proj.weight", {hidden, ffn});
      layers.push_back(std::move(layer));
    }
    norm = add("model.norm.weight", {hidden});
    head = config.tied_embeddings ? embedding : add("lm_head.weight", {config.vocab_size, hidden});
  }

  at::Tensor add(const std::string& name, std::vector<int64_t> shape) {
    at::Tensor tensor = at::empty(shape, at::TensorOptions(dtype));
    tensor.set_requires_grad(true);
    parameters.push_back({name, tensor});
    return tensor;
  }

  // Positions are checked here, ids by the embedding.
  void check_positions(const at::Tensor& positions) const {
    if (positions.numel() == 0) return;
    const int64_t last = positions.max().item<int64_t>();
    if (config.max_positions > 0 && last >= config.max_positions) {
      throw Error(ErrorKind::invalid, "a sequence of " + std::to_string(last + 1) +
                                          " tokens is longer than the model's " +
                                          std::to_string(config.max_positions) + " positions");
    }
  }

  // The layer's output from its input; `attend` turns the joint projection [N, (Q + 2K) D] into the
  // attended values [N, Q D].
  template <class Attend>
  at::Tensor run_layer(const Layer& layer, const at::Tensor& x_NH, Attend&& attend) const {
    const double eps = config.rms_norm_eps;
    const at::Tensor qkv =
        joint_linear(nn::rms_norm(x_NH, layer.input_norm, eps), {layer.q, layer.k, layer.v});
    const at::Tensor middle = add_linear(x_NH, attend(qkv), layer.o);
    const at::Tensor gate_up =
        joint_linear(nn::rms_norm(middle, layer.post_norm, eps), {layer.gate, layer.up});
    return add_linear(middle, nn::swiglu(gate_up), layer.down);
  }
};

Decoder::Decoder(checkpoint::DecoderConfig config, at::ScalarType dtype)
    : impl_(nn::with_torch_errors(
          [] { return std::string("making a decoder's weights"); },
          [&] { return std::make_unique<Impl>(std::move(config), dtype); })) {}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

const std::vector<Decoder::Named>& Decoder::parameters() const { return impl_->parameters; }
const checkpoint::DecoderConfig& Decoder::config() const { return impl_->config; }
at::ScalarType Decoder::dtype() const { return impl_->dtype; }
at::Tensor Decoder::head_weight() const { return impl_->head; }

at::Tensor Decoder::hidden(const PackedBatch& batch) const {
  const auto doing = [&] {
    return "running the decoder on ids " + nn::shape_text(batch.ids_BT) + " with a vocabulary of " +
           std::to_string(impl_->config.vocab_size);
  };
  return nn::with_torch_errors(doing, [&] {
    const Impl& m = *impl_;
    const int64_t rows = batch.ids_BT.size(0), length = batch.ids_BT.size(1);
    m.check_positions(batch.positions_BT);
    const std::vector<int64_t> lengths = document_lengths(batch);
    const nn::Rotation rotation = nn::rope_rotation(m.frequencies, batch.positions_BT);
    at::Tensor x_NH = at::embedding(m.embedding, batch.ids_BT.reshape({-1}));
    for (const Layer& layer : m.layers) {
      x_NH = m.run_layer(layer, x_NH, [&](const at::Tensor& qkv) {
        return nn::packed_attention(qkv, rotation, m.heads, lengths);
      });
    }
    return nn::rms_norm(x_NH, m.norm, m.config.rms_norm_eps).view({rows, length, -1});
  });
}

at::Tensor Decoder::hidden(const at::Tensor& ids_Bt, KvCache& cache) const {
  HELIO_CHECK(!c10::GradMode::is_enabled(), "a cache is for generation: no gradients");
  HELIO_CHECK(ids_Bt.size(0) == cache.rows(), "a row of ids for each row of the cache");
  const auto doing = [&] {
    return "running the decoder on ids " + nn::shape_text(ids_Bt) + " after " +
           std::to_string(cache.length()) + " cached tokens";
  };
  return nn::with_torch_errors(doing, [&] {
    const Impl& m = *impl_;
    const int64_t rows = ids_Bt.size(0), fresh = ids_Bt.size(1), past = cache.length();
    const auto long_options = at::TensorOptions(at::kLong);
    const at::Tensor positions = at::arange(past, past + fresh, long_options);
    m.check_positions(positions);
    const nn::Rotation rotation = nn::rope_rotation(m.frequencies, positions.expand({rows, fresh}));
    // Token i of the new ones sees everything cached and the new ones up to itself.
    at::Tensor mask;
    if (fresh > 1 && past > 0) {
      mask = at::arange(past + fresh, long_options).unsqueeze(0) <= positions.unsqueeze(1);
    }
    at::Tensor x_NH = at::embedding(m.embedding, ids_Bt.reshape({-1}));
    for (size_t i = 0; i < m.layers.size(); ++i) {
      x_NH = m.run_layer(m.layers[i], x_NH, [&](const at::Tensor& qkv) {
        const auto parts =
            qkv.view({rows * fresh, -1, m.heads.size})
                .split_with_sizes({m.heads.query, m.heads.key_value, m.heads.key_value}, 1);
        const auto heads_first = [&](const at::Tensor& x) {
          return x.reshape({rows, fresh, -1, m.heads.size}).transpose(1, 2);
        };
        const KvCache::View all =
            cache.append(static_cast<int64_t>(i), heads_first(nn::rope(parts[1], rotation)),
                         heads_first(parts[2]));
        const at::Tensor attended = at::scaled_dot_product_attention(
            heads_first(nn::rope(parts[0], rotation)), all.keys_BKLD, all.values_BKLD,
            mask.defined() ? std::optional<at::Tensor>(mask) : std::nullopt, /*dropout_p=*/0.0,
            /*is_causal=*/fresh > 1 && past == 0, std::nullopt, /*enable_gqa=*/true);
        return attended.transpose(1, 2).reshape({rows * fresh, m.heads.query * m.heads.size});
      });
    }
    cache.advance(fresh);
    return nn::rms_norm(x_NH, m.norm, m.config.rms_norm_eps).view({rows, fresh, -1});
  });
}

at::Tensor Decoder::logits(const at::Tensor& hidden) const {
  return nn::with_torch_errors(
      [&] {
        return "computing logits of " +
               nn::shapes_text({{"hidden", hidden}, {"head", impl_->head}});
      },
      [&] { return at::linear(hidden, impl_->head).to(at::kFloat); });
}

}  // namespace helio::model
