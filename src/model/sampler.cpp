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

namespace {

// What may be drawn: the first `kept` of the ranking, together `total`; the most probable weighs 1.
struct Kept {
  Ranking ranking;
  double largest, temperature;
  size_t kept = 0;
  double total = 0;

  double weight(double logit) const { return std::exp((logit - largest) / temperature); }
  double weight_at(size_t rank) { return weight(ranking.logit(rank)); }
};

Kept kept_tokens(std::span<const float> logits, const SamplerOptions& options, size_t possible) {
  Ranking ranking(logits);
  const double first = ranking.logit(0);
  Kept out{.ranking = std::move(ranking), .largest = first, .temperature = options.temperature};
  out.kept = possible;
  if (options.top_k > 0) out.kept = std::min(out.kept, static_cast<size_t>(options.top_k));
  if (out.kept < out.ranking.size())
    for (size_t rank = 0; rank < out.kept; ++rank) out.total += out.weight_at(rank);
  else
    for (const float logit : logits) out.total += out.weight(logit);
  // The tokens before the first that fails; one at least.
  const auto keep_while = [&](const auto& goes_on) {
    double sum = 0;
    size_t rank = 0;
    while (rank < out.kept && (rank == 0 || goes_on(rank, sum))) sum += out.weight_at(rank++);
    out.kept = rank;
    out.total = sum;
  };
  if (options.top_p < 1) {
    const double wanted = options.top_p * out.total;
    keep_while([&](size_t, double sum) { return sum < wanted; });
  }
  if (options.min_p > 0)
    keep_while([&](size_t rank, double) { return out.weight_at(rank) >= options.min_p; });
  return out;
}

size_t some_possible(std::span<const float> logits) {
  HELIO_CHECK(!logits.empty(), "logits to sample from");
  const size_t possible = possible_tokens(logits);
  if (possible == 0) throw Error(ErrorKind::failed, "no token is possible");
  return possible;
}

TokenId most_probable(std::span<const float> logits) {
  return static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

}  // namespace

TokenId sample(std::span<const float> logits, const SamplerOptions& options, Rng& rng) {
  const size_t possible = some_possible(logits);
  if (options.temperature <= 0) return most_probable(logits);
  Kept tokens = kept_tokens(logits, options, possible);
  double point = rng.uniform() * tokens.total;
  for (size_t rank = 0; rank + 1 < tokens.kept; ++rank) {
    point -= tokens.weight_at(rank);
    if (point < 0) return tokens.ranking.at(rank);
  }
  return tokens.ranking.at(tokens.kept - 1);
}

std::vector<float> probabilities(std::span<const float> logits, const SamplerOptions& options) {
  const size_t possible = some_possible(logits);
  std::vector<float> out(logits.size(), 0.0F);
  if (options.temperature <= 0) {
    out[static_cast<size_t>(most_probable(logits))] = 1;
    return out;
  }
  Kept tokens = kept_tokens(logits, options, possible);
  if (tokens.kept == possible) {  // no order needed
    for (size_t id = 0; id < logits.size(); ++id)
      out[id] = static_cast<float>(tokens.weight(logits[id]) / tokens.total);
    return out;
  }
  for (size_t rank = 0; rank < tokens.kept; ++rank)
    out[static_cast<size_t>(tokens.ranking.at(rank))] =
        static_cast<float>(tokens.weight_at(rank) / tokens.total);
  return out;
}

TokenId draw(std::span<const float> probabilities, Rng& rng) {
  double total = 0;
  for (const float p : probabilities) total += p;
  double point = rng.uniform() * total;
  TokenId last = 0;
  for (size_t id = 0; id < probabilities.size(); ++id) {
    if (probabilities[id] <= 0) continue;
    last = static_cast<TokenId>(id);
    point -= probabilities[id];
    if (point < 0) break;
  }
  return last;
}

Verdict accept_or_replace(TokenId proposed, std::span<const float> target,
                          std::span<const float> draft, Rng& rng) {
  const auto of = [](std::span<const float> list, size_t id) {
    return id < list.size() ? list[id] : 0.0F;
  };
  const auto at = static_cast<size_t>(proposed);
  if (rng.uniform() * static_cast<double>(of(draft, at)) < static_cast<double>(of(target, at)))
    return {proposed, true};
  std::vector<float> above(target.size());
  double total = 0;
  for (size_t id = 0; id < target.size(); ++id) {
    above[id] = std::max(0.0F, target[id] - of(draft, id));
    total += above[id];
  }
  // Equal but for their last digits, and yet not accepted.
  if (total <= 0) return {draw(target, rng), false};
  return {draw(above, rng), false};
}

}  // namespace helio::model
