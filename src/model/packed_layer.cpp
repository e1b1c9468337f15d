#include "model/packed_layer.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "core/error.h"
#include "nn/experts.h"
#include "nn/kernels.h"

namespace helio::model {
namespace {

using checkpoint::Activation;
using checkpoint::DecoderConfig;
using checkpoint::QkNorm;
using nn::Output;
using nn::PackedWeight;
using nn::PagedStep;

constexpr int64_t kFewTokens = 8;   // of one sequence: attention token by token
constexpr int64_t kShortRows = 32;  // of all sequences

// One call's arguments, so that its steps read as the layer's.
class Run {
 public:
  Run(const DecoderConfig& config, const PackedLayer& layer, const nn::AttentionRule& rule,
      const StepTokens& tokens, at::Tensor& key_pool, at::Tensor& value_pool, StepBuffers& buffers,
      nn::Phases& phases)
      : c_(config),
        layer_(layer),
        rule_(rule),
        tokens_(tokens),
        key_pool_(key_pool),
        value_pool_(value_pool),
        pools_(key_pool, value_pool),
        keys_(key_pool.mutable_data_ptr<float>()),
        values_(value_pool.mutable_data_ptr<float>()),
        b_(buffers),
        phases_(phases),
        kernels_(*nn::kernels()),
        rows_(static_cast<int64_t>(buffers.x.size()) / config.hidden_size) {}

  void attention_block() {
    const int64_t size = c_.head_dim, width = (c_.heads + 2 * c_.kv_heads) * size;
    project(b_.x, layer_.attention_in_norm, layer_.qkv, b_.qkv);
    place_tokens(width);
    for_short_steps([&](const PagedStep& step, int64_t row, int64_t head) {
      for (int64_t i = 0; i < step.fresh; ++i)
        nn::attend_in_pages(kernels_, pools_, step, step.past + i, head, c_.heads,
                            b_.qkv.data() + (row + i) * width,
                            b_.attended.data() + (row + i) * c_.heads * size, rule_);
    });
    attend_long_steps(width);
    add(b_.attended, layer_.o, layer_.o_bias, layer_.attention_out_norm);
  }

  void feed_forward_block() {
    if (!layer_.experts.empty()) return experts_block();
    const int64_t width = c_.intermediate_size;
    project(b_.x, layer_.mlp_in_norm, layer_.gate_up, b_.gate_up);
    const auto glu = c_.activation == Activation::silu ? kernels_.swiglu : kernels_.geglu;
    b_.activations.prepare(layer_.down.format(), rows_, width);
    each_row([&](int64_t row) {
      float* const gate_up = b_.gate_up.data() + row * 2 * width;
      add_bias(gate_up, layer_.gate_up_bias);
      float* const inner = b_.inner.data() + row * width;
      glu(gate_up, inner, 1, width);
      b_.activations.set_row(row, inner);
    });
    add_product(layer_.down, layer_.down_bias, layer_.mlp_out_norm);
  }

 private:
  // Tensor operators: not within a team.
  void experts_block() {
    const int64_t width = c_.hidden_size;
    each_row([&](int64_t row) {
      const float* const from = normed(b_.x, layer_.mlp_in_norm, row);
      if (from != normed_row(row)) std::copy_n(from, width, normed_row(row));
    });
    const at::Tensor x_NH = at::from_blob(b_.normed.data(), {rows_, width});
    at::from_blob(b_.added.data(), {rows_, width})
        .copy_(run_packed_experts(layer_, x_NH, c_.experts));
    add_to_stream({}, layer_.mlp_out_norm);
  }

  template <class Body>
  void each_row(const Body& body) {
    phases_.run(rows_, body);
  }

  static void add_bias(float* row, const std::vector<float>& bias) {
    for (size_t i = 0; i < bias.size(); ++i) row[i] += bias[i];
  }

  void norm(const float* x, const std::vector<float>& weight, float* out) const {
    float inverse = 0;
    kernels_.rms_norm(x, weight.data(), out, &inverse, 1, static_cast<int64_t>(weight.size()),
                      static_cast<float>(c_.rms_norm_eps));
  }

  float* normed_row(int64_t row) { return b_.normed.data() + row * c_.hidden_size; }
  // A row of x, normalised where there is a weight for it.
  const float* normed(const std::vector<float>& x, const std::vector<float>& weight, int64_t row) {
    const float* const from = x.data() + row * c_.hidden_size;
    if (weight.empty()) return from;
    norm(from, weight, normed_row(row));
    return normed_row(row);
  }

  // out = weight * norm(x), x itself without a norm.
  void project(const std::vector<float>& x, const std::vector<float>& weight,
               const PackedWeight& matrix, std::vector<float>& out) {
    b_.activations.prepare(matrix.format(), rows_, c_.hidden_size);
    each_row([&](int64_t row) { b_.activations.set_row(row, normed(x, weight, row)); });
    matrix.product(b_.activations, out.data(), matrix.rows(), Output::set, phases_);
  }

  // Biases, norms and rotation of queries and keys, in place; keys and values into their pages.
  void place_tokens(int64_t width) {
    const int64_t size = c_.head_dim, both = c_.heads + c_.kv_heads;
    // The sequence and position of each row.
    rows_of_.clear();
    for (const PagedStep& step : tokens_.steps)
      for (int64_t i = 0; i < step.fresh; ++i) rows_of_.push_back({&step, step.past + i});
    each_row([&](int64_t row) {
      float* const qkv = b_.qkv.data() + row * width;
      add_bias(qkv, layer_.qkv_bias);
      if (c_.qk_norm == QkNorm::all_heads) {
        norm(qkv, layer_.q_norm, qkv);
        norm(qkv + c_.heads * size, layer_.k_norm, qkv + c_.heads * size);
      }
      for (int64_t head = 0; head < both; ++head) {
        float* const part = qkv + head * size;
        if (c_.qk_norm == QkNorm::each_head)
          norm(part, head < c_.heads ? layer_.q_norm : layer_.k_norm, part);
        rotate(part, row);
      }
      const auto [step, position] = rows_of_[static_cast<size_t>(row)];
      const int32_t page = step->pages[static_cast<size_t>(position / pools_.page_tokens)];
      for (int64_t head = 0; head < c_.kv_heads; ++head) {
        const int64_t at = pools_.place(page, head) + position % pools_.page_tokens * size;
        std::copy_n(qkv + (c_.heads + head) * size, size, keys_ + at);
        std::copy_n(qkv + (both + head) * size, size, values_ + at);
      }
    });
    nn::copy_tails(key_pool_, value_pool_, tokens_.steps);
  }

  void rotate(float* head, int64_t row) const {
    const int64_t half = tokens_.half;
    const float *cos = tokens_.cos + row * half, *sin = tokens_.sin + row * half;
    for (int64_t i = 0; i < half; ++i) {
      const float a = head[i], b = head[i + half];
      head[i] = a * cos[i] - b * sin[i];
      head[i + half] = b * cos[i] + a * sin[i];
    }
  }

  template <class Body>
  void for_short_steps(const Body& body) {
    std::vector<std::pair<const PagedStep*, int64_t>> few;  // and their first rows
    int64_t row = 0;
    for (const PagedStep& step : tokens_.steps) {
      if (step.fresh <= kFewTokens) few.emplace_back(&step, row);
      row += step.fresh;
    }
    phases_.run(static_cast<int64_t>(few.size()) * c_.kv_heads, [&](int64_t unit) {
      const auto& [step, first] = few[static_cast<size_t>(unit / c_.kv_heads)];
      body(*step, first, unit % c_.kv_heads);
    });
  }

  void attend_long_steps(int64_t width) {
    const int64_t size = c_.head_dim;
    int64_t row = 0;
    for (const PagedStep& step : tokens_.steps) {
      if (step.fresh > kFewTokens) {
        const at::Tensor qkv = at::from_blob(b_.qkv.data() + row * width, {step.fresh, width});
        at::from_blob(b_.attended.data() + row * c_.heads * size, {step.fresh, c_.heads * size})
            .copy_(attended(qkv, step));
      }
      row += step.fresh;
    }
  }

  at::Tensor attended(const at::Tensor& qkv, const PagedStep& step) const {
    const int64_t size = c_.head_dim;
    if (step.past > 0) {
      const at::Tensor q = qkv.view({step.fresh, -1, size}).slice(1, 0, c_.heads);
      return nn::paged_attention(q, key_pool_, value_pool_, {&step, 1}, rule_);
    }
    // A whole sequence: its queries and keys are side by side, and rotated already.
    const nn::Rotation none{.cos = at::ones({step.fresh, size / 2}),
                            .sin = at::zeros({step.fresh, size / 2})};
    return nn::packed_attention(qkv, none, {c_.heads, c_.kv_heads, size}, {step.fresh}, rule_);
  }

  // x += weight @ y + bias, normalised first where the family does so.
  void add(const std::vector<float>& y, const PackedWeight& weight, const std::vector<float>& bias,
           const std::vector<float>& out_norm) {
    b_.activations.prepare(weight.format(), rows_, weight.width());
    each_row([&](int64_t row) { b_.activations.set_row(row, y.data() + row * weight.width()); });
    add_product(weight, bias, out_norm);
  }

  void add_product(const PackedWeight& weight, const std::vector<float>& bias,
                   const std::vector<float>& out_norm) {
    const int64_t width = c_.hidden_size;
    if (out_norm.empty()) {
      weight.product(b_.activations, b_.x.data(), width, Output::add, phases_);
      if (bias.empty()) return;
      return each_row([&](int64_t row) { add_bias(b_.x.data() + row * width, bias); });
    }
    weight.product(b_.activations, b_.added.data(), width, Output::set, phases_);
    add_to_stream(bias, out_norm);
  }

  // x += added + bias, normalised first where the family does so.
  void add_to_stream(const std::vector<float>& bias, const std::vector<float>& out_norm) {
    const int64_t width = c_.hidden_size;
    each_row([&](int64_t row) {
      float *const added = b_.added.data() + row * width, *const x = b_.x.data() + row * width;
      add_bias(added, bias);
      if (!out_norm.empty()) norm(added, out_norm, added);
      for (int64_t i = 0; i < width; ++i) x[i] += added[i];
    });
  }

  const DecoderConfig& c_;
  const PackedLayer& layer_;
  const nn::AttentionRule& rule_;
  const StepTokens& tokens_;
  at::Tensor &key_pool_, &value_pool_;
  nn::PagedPools pools_;
  float *keys_, *values_;
  StepBuffers& b_;
  nn::Phases& phases_;
  const nn::Kernels& kernels_;
  int64_t rows_;
  std::vector<std::pair<const PagedStep*, int64_t>> rows_of_ = {};
};

}  // namespace

StepBuffers::StepBuffers(const DecoderConfig& c, int64_t rows) {
  const auto room = [&](int64_t width) { return static_cast<size_t>(rows * width); };
  x.resize(room(c.hidden_size));
  normed.resize(room(c.hidden_size));
  qkv.resize(room((c.heads + 2 * c.kv_heads) * c.head_dim));
  attended.resize(room(c.heads * c.head_dim));
  gate_up.resize(room(2 * c.intermediate_size));
  inner.resize(room(c.intermediate_size));
  added.resize(room(c.hidden_size));
}

bool is_short(std::span<const PagedStep> steps) {
  int64_t rows = 0;
  for (const PagedStep& step : steps) {
    if (step.fresh > kFewTokens) return false;
    rows += step.fresh;
  }
  return rows <= kShortRows;
}

at::Tensor run_packed_experts(const PackedLayer& layer, const at::Tensor& x_NH,
                              const checkpoint::Experts& experts) {
  const auto run = [&](int64_t expert, const at::Tensor& x_nH) {
    const PackedLayer::Expert& one = layer.experts[static_cast<size_t>(expert)];
    return one.down.product(nn::swiglu(one.gate_up.product(x_nH)));
  };
  return nn::routed_experts(x_NH, layer.router, run, experts);
}

void run_packed_layer(const DecoderConfig& config, const PackedLayer& layer,
                      const nn::AttentionRule& rule, const StepTokens& tokens, at::Tensor& key_pool,
                      at::Tensor& value_pool, StepBuffers& buffers, nn::Phases& phases) {
  Run run(config, layer, rule, tokens, key_pool, value_pool, buffers, phases);
  run.attention_block();
  run.feed_forward_block();
}

}  // namespace helio::model
