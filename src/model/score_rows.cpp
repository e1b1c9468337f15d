#include "model/score_rows.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "nn/kernels.h"
#include "nn/linear_loss.h"
#include "nn/parallel.h"

namespace helio::model {
namespace {

constexpr int64_t kRows = 2048, kTokens = 4096;  // of a block of logits: 32 MiB
constexpr int64_t kWholeRows = 256;              // where the head gives whole rows only

// What is known of a row after some blocks.
struct RowState {
  float best = -std::numeric_limits<float>::infinity();
  int64_t best_token = -1;
  // The sum of exponentials, over exp(best).
  double sum = 0;

  void add(float block_best, int64_t token, float block_log_sum) {
    const double log_sum = static_cast<double>(block_log_sum);
    if (best_token < 0 || block_best > best || std::isnan(block_best)) {
      sum *= best_token < 0 ? 0 : std::exp(static_cast<double>(best) - block_best);
      best = block_best;
      best_token = token;
    }
    sum += std::exp(log_sum - best);
  }
  double log_sum() const { return best + std::log(sum); }
};

// The rows of a chunk, and the tokens that are asked of them.
class Chunk {
 public:
  Chunk(int64_t first_row, int64_t rows, std::span<const AskedToken> asked)
      : first_row_(first_row), states_(static_cast<size_t>(rows)), asked_(asked) {
    values_.resize(asked.size());
  }

  // Logits [rows, w] of the tokens from `first` on; they are overwritten.
  void add(const at::Tensor& logits, int64_t first) {
    const int64_t width = logits.size(1);
    for (size_t i = 0; i < asked_.size(); ++i)
      if (asked_[i].token >= first && asked_[i].token < first + width)
        values_[i] = logits.const_data_ptr<float>()[(asked_[i].row - first_row_) * width +
                                                    asked_[i].token - first];
    const auto [best, token] = logits.max(1);
    const at::Tensor log_sums = log_sums_of(logits, best, token);
    for (size_t row = 0; row < states_.size(); ++row)
      states_[row].add(best.const_data_ptr<float>()[row],
                       first + token.const_data_ptr<int64_t>()[row],
                       log_sums.const_data_ptr<float>()[row]);
  }

  void finish(std::vector<AskedScore>& out) const {
    for (size_t i = 0; i < asked_.size(); ++i) {
      const RowState& state = states_[static_cast<size_t>(asked_[i].row - first_row_)];
      out.push_back({.log_prob = static_cast<double>(values_[i]) - state.log_sum(),
                     .is_greedy = state.best_token == asked_[i].token});
    }
  }

 private:
  static at::Tensor log_sums_of(const at::Tensor& logits, const at::Tensor& best,
                                const at::Tensor& token) {
    const nn::Kernels* const fast = nn::kernels();
    if (!fast) return logits.logsumexp({1});
    at::Tensor log_probs = at::empty(best.sizes(), best.options());
    const int64_t width = logits.size(1);
    auto* const values = logits.mutable_data_ptr<float>();
    auto* const out = log_probs.mutable_data_ptr<float>();
    const auto* const at_best = token.const_data_ptr<int64_t>();
    nn::parallel_rows(logits.size(0), 16, [&](int64_t first, int64_t last) {
      fast->softmax_rows(values + first * width, at_best + first, nullptr, out + first,
                         last - first, width, nn::SoftmaxRows::log_prob);
    });
    return best - log_probs;
  }

  int64_t first_row_;
  std::vector<RowState> states_;
  std::span<const AskedToken> asked_;
  std::vector<float> values_ = {};
};

}  // namespace

std::vector<AskedScore> score_rows(const Decoder& decoder, const at::Tensor& hidden,
                                   std::span<const AskedToken> asked) {
  std::vector<AskedScore> out;
  out.reserve(asked.size());
  const bool whole = decoder.packed_as() && decoder.packed_as() != nn::WeightFormat::f32;
  const int64_t step = whole ? kWholeRows : kRows;
  auto next = asked.begin();
  for (int64_t first = 0; first < hidden.size(0); first += step) {
    const int64_t last = std::min(first + step, hidden.size(0));
    const auto begin = next;
    while (next != asked.end() && next->row < last) ++next;
    const at::Tensor rows = hidden.slice(0, first, last);
    Chunk chunk(first, last - first, {begin, next});
    if (whole) {
      chunk.add(decoder.logits(rows).contiguous(), 0);
    } else {
      const nn::Head head = decoder.head();
      for (int64_t token = 0; token < head.weight_VH.size(0); token += kTokens) {
        const int64_t end = std::min(token + kTokens, head.weight_VH.size(0));
        at::Tensor logits = at::linear(rows, head.weight_VH.slice(0, token, end)).to(at::kFloat);
        if (head.softcap != 0) logits = (logits / head.softcap).tanh() * head.softcap;
        chunk.add(logits.contiguous(), token);
      }
    }
    chunk.finish(out);
  }
  return out;
}

}  // namespace helio::model
