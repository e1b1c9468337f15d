#include "model/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

#include "core/error.h"

namespace helio::model {
namespace {

using text::TokenId;

// How many tokens may be chosen.
size_t possible_tokens(std::span<const float> logits) {
  size_t possible = 0;
  for (const float value : logits) {
    if (value > -std::numeric_limits<float>::infinity()) ++possible;
    if (!std::isnan(value)) continue;
    throw Error(ErrorKind::failed, "the model's logits are not numbers (NaN)")
        .with_hint("the weights are damaged or the training diverged: look at its loss");
  }
  return possible;
}

// Tokens from the most probable down, equals by id, sorted only as far as they are asked for: of
// 100,000 a draw seldom needs more than a few.
class Ranking {
 public:
  explicit Ranking(std::span<const float> logits) : logits_(logits), order_(logits.size()) {
    std::iota(order_.begin(), order_.end(), 0);
  }
  TokenId at(size_t rank) {
    while (rank >= sorted_) sort_more();
    return order_[rank];
  }
  float logit(size_t rank) { return logits_[static_cast<size_t>(at(rank))]; }
  size_t size() const { return order_.size(); }

 private:
  void sort_more() {
    const auto before = [&](TokenId a, TokenId b) {
      const float left = logits_[static_cast<size_t>(a)], right = logits_[static_cast<size_t>(b)];
      return left != right ? left > right : a < b;
    };
    const size_t end = std::min(order_.size(), std::max<size_t>(64, sorted_ * 4));
    const auto from = order_.begin() + static_cast<std::ptrdiff_t>(sorted_),
               to = order_.begin() + static_cast<std::ptrdiff_t>(end);
    if (to != order_.end()) std::nth_element(from, to, order_.end(), before);
    std::sort(from, to, before);
    sorted_ = end;
  }

  std::span<const float> logits_;
  std::vector<TokenId> order_;
  size_t sorted_ = 0;
};

}  // namespace

void apply_penalties(std::span<float> logits, const SamplerOptions& options,
                     std::span<const TokenId> prompt, std::span<const TokenId> answer) {
  const auto place = [&](TokenId id) -> float* {
    return id >= 0 && static_cast<size_t>(id) < logits.size() ? &logits[static_cast<size_t>(id)]
                                                              : nullptr;
  };
  for (const auto& [id, value] : options.bias)
    if (float* logit = place(id)) *logit += value;
  if (options.repetition_penalty != 1) {
    std::unordered_set<TokenId> seen(prompt.begin(), prompt.end());
    seen.insert(answer.begin(), answer.end());
    const auto penalty = static_cast<float>(options.repetition_penalty);
    for (const TokenId id : seen)
      if (float* logit = place(id)) *logit = *logit < 0 ? *logit * penalty : *logit / penalty;
  }
  if (options.presence_penalty != 0 || options.frequency_penalty != 0) {
    std::unordered_map<TokenId, int64_t> counts;
    for (const TokenId id : answer) ++counts[id];
    for (const auto& [id, count] : counts)
      if (float* logit = place(id))
        *logit -= static_cast<float>(options.presence_penalty +
                                     options.frequency_penalty * static_cast<double>(count));
  }
}

void apply_grammar(std::span<float> logits, const text::TokenSet& allowed,
                   std::span<const TokenId> also_allowed) {
  constexpr float kNever = -std::numeric_limits<float>::infinity();
  std::vector<std::pair<size_t, float>> kept;
  for (const TokenId id : also_allowed)
    if (id >= 0 && static_cast<size_t>(id) < logits.size())
      kept.emplace_back(id, logits[static_cast<size_t>(id)]);
  size_t left = 0;
  for (size_t id = 0; id < logits.size(); ++id) {
    if (allowed.has(static_cast<TokenId>(id))) ++left;
    else logits[id] = kNever;
  }
  for (const auto& [id, logit] : kept) logits[id] = logit;
  if (left == 0 && kept.empty())
    throw Error(ErrorKind::invalid, "no token of the vocabulary goes on in the grammar");
}

TokenId sample(std::span<const float> logits, const SamplerOptions& options, Rng& rng) {
  HELIO_CHECK(!logits.empty(), "logits to sample from");
  const size_t possible = possible_tokens(logits);
  if (possible == 0) throw Error(ErrorKind::failed, "no token is possible");
  if (options.temperature <= 0)
    return static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin());
  Ranking ranking(logits);
  const double largest = ranking.logit(0);
  const auto weight = [&](double logit) {
    return std::exp((logit - largest) / options.temperature);
  };
  size_t kept = possible;
  if (options.top_k > 0) kept = std::min(kept, static_cast<size_t>(options.top_k));
  double total = 0;
  if (kept < ranking.size())
    for (size_t rank = 0; rank < kept; ++rank) total += weight(ranking.logit(rank));
  else
    for (const float logit : logits) total += weight(logit);
  if (options.top_p < 1) {
    const double wanted = options.top_p * total;
    double sum = 0;
    size_t rank = 0;
    while (rank < kept && (rank == 0 || sum < wanted)) sum += weight(ranking.logit(rank++));
    kept = rank;
    total = sum;
  }
  if (options.min_p > 0) {  // the most probable weighs 1
    double sum = 0;
    size_t rank = 0;
    while (rank < kept && (rank == 0 || weight(ranking.logit(rank)) >= options.min_p))
      sum += weight(ranking.logit(rank++));
    kept = rank;
    total = sum;
  }
  double point = rng.uniform() * total;
  for (size_t rank = 0; rank + 1 < kept; ++rank) {
    point -= weight(ranking.logit(rank));
    if (point < 0) return ranking.at(rank);
  }
  return ranking.at(kept - 1);
}

}  // namespace helio::model
