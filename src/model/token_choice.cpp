#include "model/token_choice.h"

#include <algorithm>
#include <limits>

namespace helio::model {
namespace {

using text::TokenId;

// A stop id ends the text where it is complete, and is none of its tokens elsewhere.
void restrict_to_grammar(text::GrammarMatcher& matcher, std::span<const TokenId> stops,
                         std::span<float> logits) {
  const auto allowed = matcher.allowed();
  const bool complete = matcher.complete();
  if (!complete)
    for (const TokenId id : stops)
      if (id >= 0 && static_cast<size_t>(id) < logits.size())
        logits[static_cast<size_t>(id)] = -std::numeric_limits<float>::infinity();
  apply_grammar(logits, *allowed, complete ? stops : std::span<const TokenId>());
}

}  // namespace

std::span<const float> logits_to_choose_from(const GenerationRequest& request,
                                             std::span<const TokenId> answer,
                                             text::GrammarMatcher* matcher,
                                             std::span<const float> logits,
                                             std::vector<float>& room) {
  if (!request.sampler.changes_logits() && !matcher) return logits;
  room.assign(logits.begin(), logits.end());
  apply_penalties(room, request.sampler, request.prompt, answer);
  if (matcher) restrict_to_grammar(*matcher, request.stop_ids, room);
  return room;
}

TokenScore scored(TokenId id, std::span<const float> logits, float log_sum, int64_t top) {
  TokenScore score{.id = id, .log_prob = logits[static_cast<size_t>(id)] - log_sum};
  if (top <= 0) return score;
  std::vector<TokenId> order(logits.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<TokenId>(i);
  const auto count = std::min<size_t>(static_cast<size_t>(top), order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](TokenId a, TokenId b) {
                      const float left = logits[static_cast<size_t>(a)],
                                  right = logits[static_cast<size_t>(b)];
                      return left != right ? left > right : a < b;
                    });
  for (size_t i = 0; i < count; ++i)
    score.top.emplace_back(order[i], logits[static_cast<size_t>(order[i])] - log_sum);
  return score;
}

bool is_stop(const GenerationRequest& request, TokenId id) {
  const auto& stops = request.stop_ids;
  return std::find(stops.begin(), stops.end(), id) != stops.end();
}

}  // namespace helio::model
