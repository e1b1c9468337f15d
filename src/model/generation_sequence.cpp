#include "model/generation_sequence.h"

#include <algorithm>
#include <limits>

namespace helio::model {

void restrict_to_grammar(Sequence& s, std::span<float> logits) {
  const auto& stops = s.request.stop_ids;
  const auto allowed = s.matcher->allowed();
  const bool complete = s.matcher->complete();
  if (!complete)
    for (const text::TokenId id : stops)
      if (id >= 0 && static_cast<size_t>(id) < logits.size())
        logits[static_cast<size_t>(id)] = -std::numeric_limits<float>::infinity();
  apply_grammar(
      logits, *allowed,
      complete ? std::span<const text::TokenId>(stops) : std::span<const text::TokenId>());
}

TokenScore score_of_token(text::TokenId id, std::span<const float> logits, float log_sum,
                          int64_t top) {
  TokenScore score{.id = id, .log_prob = logits[static_cast<size_t>(id)] - log_sum};
  if (top <= 0) return score;
  std::vector<text::TokenId> order(logits.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<text::TokenId>(i);
  const auto count = std::min<size_t>(static_cast<size_t>(top), order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](text::TokenId a, text::TokenId b) {
                      const float left = logits[static_cast<size_t>(a)],
                                  right = logits[static_cast<size_t>(b)];
                      return left != right ? left > right : a < b;
                    });
  for (size_t i = 0; i < count; ++i)
    score.top.emplace_back(order[i], logits[static_cast<size_t>(order[i])] - log_sum);
  return score;
}

}  // namespace helio::model
