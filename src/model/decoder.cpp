#include "model/decoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <c10/core/GradMode.h>

#include "core/error.h"
#include "model/decoder_impl.h"
#include "model/kv_cache.h"
#include "model/paged_cache.h"
#include "nn/layers.h"
#include "nn/recompute.h"
#include "nn/torch_error.h"

namespace helio::model {
namespace {

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

void check_branches(const PackedBatch& batch, const std::vector<int64_t>& lengths) {
  HELIO_CHECK(batch.branches.empty() || batch.branches.size() == lengths.size(),
              "a list of branches for each document");
  for (size_t d = 0; d < batch.branches.size(); ++d) {
    int64_t last = -1;
    for (const int64_t start : batch.branches[d]) {
      HELIO_CHECK(start > last && start < lengths[d], "branches ascend and stay in their document");
      last = start;
    }
  }
}

}  // namespace

// What all layers of a pass share.
struct LayerInputs {
  nn::Rotation rotation = {}, sliding = {};
  std::vector<int64_t> lengths = {};
  nn::Branches branches = {};
};

void check_decoder_config(const checkpoint::DecoderConfig& c) {
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

double embedding_scale(const checkpoint::DecoderConfig& c, at::ScalarType dtype) {
  if (!c.scaled_embedding) return 1;
  const float scale = static_cast<float>(std::sqrt(static_cast<double>(c.hidden_size)));
  if (dtype == at::kBFloat16) return static_cast<float>(at::BFloat16(scale));
  if (dtype == at::kHalf) return static_cast<float>(at::Half(scale));
  return scale;
}

PackedBatch PackedBatch::rows(at::Tensor ids_BT) {
  const at::Tensor positions = at::arange(ids_BT.size(1), at::TensorOptions(at::kLong));
  return {.ids_BT = ids_BT, .positions_BT = positions.expand_as(ids_BT)};
}

// The next tokens of each row through all layers, [B, t, H]; their keys and values stay in the
// cache.
at::Tensor Decoder::Impl::run_cached(const at::Tensor& ids_Bt, KvCache& cache) const {
  const int64_t rows = ids_Bt.size(0), fresh = ids_Bt.size(1), past = cache.length();
  const at::Tensor positions =
      at::arange(past, past + fresh, at::TensorOptions(at::kLong)).expand({rows, fresh});
  const Rotations rotated =
      rotations(positions, std::vector<int64_t>(static_cast<size_t>(rows), fresh));
  const auto heads_first = [&](const at::Tensor& x) {
    return x.reshape({rows, fresh, -1, heads.size}).transpose(1, 2);
  };
  at::Tensor x_NH = embed(ids_Bt);
  for (size_t i = 0; i < layers.size(); ++i) {
    const nn::Rotation& rotation = layers[i].slides() ? rotated.sliding : rotated.full;
    x_NH = layers[i].run(x_NH, [&](const at::Tensor& qkv) {
      const auto parts = qkv.view({rows * fresh, -1, heads.size})
                             .split_with_sizes({heads.query, heads.key_value, heads.key_value}, 1);
      const KvCache::View all =
          cache.append(static_cast<int64_t>(i), heads_first(nn::rope(parts[1], rotation)),
                       heads_first(parts[2]));
      const at::Tensor attended =
          nn::causal_attention(heads_first(nn::rope(parts[0], rotation)), all.keys_BKLD,
                               all.values_BKLD, layers[i].rule());
      return attended.transpose(1, 2).reshape({rows * fresh, heads.query * heads.size});
    });
  }
  cache.advance(ids_Bt);
  return final_norm(x_NH).view({rows, fresh, -1});
}

Decoder::Decoder(checkpoint::DecoderConfig config, at::ScalarType dtype)
    : impl_(nn::with_torch_errors(
          [] { return std::string("making a decoder's weights"); },
          [&] { return std::make_unique<Impl>(std::move(config), dtype); })) {}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

const std::vector<Decoder::Named>& Decoder::parameters() const { return impl_->parameters; }
std::vector<at::Tensor> Decoder::layer_weights(int64_t layer) const {
  return impl_->layers[static_cast<size_t>(layer)].weights();
}
const checkpoint::DecoderConfig& Decoder::config() const { return impl_->config; }
at::ScalarType Decoder::dtype() const { return impl_->dtype; }
at::Tensor Decoder::head_weight() const {
  HELIO_CHECK(impl_->head.defined(), "a head that is not packed");
  return impl_->head;
}
nn::Head Decoder::head() const {
  return {head_weight(), impl_->config.logit_softcap, impl_->forward.products};
}
void Decoder::set_forward(ForwardOptions options) { impl_->forward = options; }

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
    check_branches(batch, lengths);
    // The backward pass may run layers once more, so what they need is held by value.
    const Impl::Rotations rotations = m.rotations(batch.positions_BT, lengths);
    const auto shared = std::make_shared<const LayerInputs>(rotations.full, rotations.sliding,
                                                            lengths, batch.branches);
    at::Tensor x_NH = m.embed(batch.ids_BT);
    for (size_t i = 0; i < m.layers.size(); ++i) {
      const DecoderLayer& layer = m.layers[i];
      const auto run = [&layer, heads = m.heads, shared,
                        products = m.forward.products](const at::Tensor& x) {
        const auto attend = [&](const at::Tensor& qkv) {
          return nn::packed_attention(qkv, layer.slides() ? shared->sliding : shared->rotation,
                                      heads, shared->lengths, layer.rule(), shared->branches);
        };
        return layer.run(x, attend, products);
      };
      if (m.forward.lender)
        x_NH =
            nn::recomputed(x_NH, layer.weights(), run, *m.forward.lender, static_cast<int64_t>(i));
      else if (m.forward.keep == Keep::inputs) x_NH = nn::recomputed(x_NH, layer.weights(), run);
      else x_NH = run(x_NH);
    }
    return m.final_norm(x_NH).view({rows, length, -1});
  });
}

at::Tensor Decoder::hidden(const at::Tensor& ids_Bt, KvCache& cache) const {
  HELIO_CHECK(!c10::GradMode::is_enabled(), "a cache is for generation: no gradients");
  HELIO_CHECK(!impl_->forward.lender, "a cache needs all weights here");
  HELIO_CHECK(ids_Bt.size(0) == cache.rows(), "a row of ids for each row of the cache");
  const auto doing = [&] {
    return "running the decoder on ids " + nn::shape_text(ids_Bt) + " after " +
           std::to_string(cache.length()) + " cached tokens";
  };
  return nn::with_torch_errors(doing, [&] {
    const Impl& m = *impl_;
    const int64_t fresh = ids_Bt.size(1), past = cache.length();
    m.check_positions(at::arange(past, past + fresh, at::TensorOptions(at::kLong)));
    if (past == 0 || m.alike(past, past + fresh)) return m.run_cached(ids_Bt, cache);
    const at::Tensor whole = at::cat({cache.ids(), ids_Bt}, 1);
    cache.clear();
    return m.run_cached(whole, cache).slice(1, past);
  });
}

bool Decoder::alike(int64_t length, int64_t longer) const { return impl_->alike(length, longer); }

at::Tensor Decoder::hidden(const at::Tensor& ids_N, PagedCache& cache,
                           std::span<const nn::PagedStep> steps) const {
  HELIO_CHECK(!c10::GradMode::is_enabled(), "a cache is for generation: no gradients");
  HELIO_CHECK(!impl_->forward.lender, "a cache needs all weights here");
  const auto doing = [&] {
    return "running the decoder on the next tokens of " + std::to_string(steps.size()) +
           " sequences, " + nn::shape_text(ids_N) + " in all";
  };
  return nn::with_torch_errors(doing, [&] {
    const Impl& m = *impl_;
    std::vector<at::Tensor> parts;
    std::vector<int64_t> fresh;
    for (const nn::PagedStep& step : steps) {
      parts.push_back(at::arange(step.past, step.past + step.fresh, at::TensorOptions(at::kLong)));
      fresh.push_back(step.fresh);
    }
    const at::Tensor positions = at::cat(parts);
    m.check_positions(positions);
    const Impl::Rotations rotations = m.rotations(positions, fresh);
    if (m.runs_packed(cache)) return m.run_packed(ids_N, cache, steps, rotations);
    at::Tensor x_NH = m.embed(ids_N);
    for (size_t i = 0; i < m.layers.size(); ++i) {
      const DecoderLayer& layer = m.layers[i];
      const nn::Rotation& rotation = layer.slides() ? rotations.sliding : rotations.full;
      at::Tensor &keys = cache.keys(static_cast<int64_t>(i)),
                 &values = cache.values(static_cast<int64_t>(i));
      x_NH = layer.run(x_NH, [&](const at::Tensor& qkv) {
        const auto heads =
            qkv.view({qkv.size(0), -1, m.heads.size})
                .split_with_sizes({m.heads.query, m.heads.key_value, m.heads.key_value}, 1);
        nn::write_pages(nn::rope(heads[1], rotation), heads[2], keys, values, steps);
        nn::copy_tails(keys, values, steps);
        return nn::paged_attention(nn::rope(heads[0], rotation), keys, values, steps, layer.rule());
      });
    }
    return m.final_norm(x_NH);
  });
}

at::Tensor Decoder::logits(const at::Tensor& hidden) const {
  return nn::with_torch_errors(
      [&] {
        return "computing logits of hidden " + nn::shape_text(hidden) + " for " +
               std::to_string(impl_->config.vocab_size) + " tokens";
      },
      [&] {
        const at::Tensor logits = impl_->products_of_head(hidden);
        const double cap = impl_->config.logit_softcap;
        return cap == 0 ? logits : (logits / cap).tanh() * cap;
      });
}

}  // namespace helio::model
