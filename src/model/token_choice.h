// What a sequence's next token is chosen from, and how a chosen one is scored. Torch-free.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/generation.h"

namespace helio::model {

// The model's logits after bias, penalties and grammar, in `room` where that changes them.
// `answer` are the tokens since the prompt, `matcher` (or null) has accepted them. Error{invalid}
// when no token may come.
std::span<const float> logits_to_choose_from(const GenerationRequest& request,
                                             std::span<const text::TokenId> answer,
                                             text::GrammarMatcher* matcher,
                                             std::span<const float> logits,
                                             std::vector<float>& room);

// `log_sum`: logsumexp of the logits; `top`: how many alternatives.
TokenScore scored(text::TokenId id, std::span<const float> logits, float log_sum, int64_t top);

bool is_stop(const GenerationRequest& request, text::TokenId id);

}  // namespace helio::model
