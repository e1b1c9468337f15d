// One request on its way through the generation engine, and what choosing its next token needs.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/rng.h"
#include "model/generation.h"
#include "model/page_pool.h"

namespace helio::model {

struct Sequence {
  GenerationRequest request;
  Rng rng;
  std::vector<text::TokenId> ids = {};  // prompt and answer
  std::vector<PageId> pages = {};
  PagePool::Published published = {};
  std::optional<text::GrammarMatcher> matcher = {};
  int64_t fed = 0;   // of `ids`, how many are in the pages
  int64_t step = 0;  // of `ids`, how many the running step feeds
  std::vector<TokenScore> prompt_scores = {};
  bool prompt_told = false, counted = false;

  explicit Sequence(GenerationRequest r)
      : request(std::move(r)), rng(Rng::stream(request.seed, "generate")), ids(request.prompt) {
    if (request.grammar) matcher.emplace(request.grammar);
  }
  int64_t prompt_size() const { return static_cast<int64_t>(request.prompt.size()); }
  int64_t size() const { return static_cast<int64_t>(ids.size()); }
  int64_t answered() const { return size() - prompt_size(); }
  bool scores_prompt() const {
    return request.prompt_scores == PromptScores::report && !prompt_told;
  }
  bool cancelled() const { return request.cancelled && request.cancelled->load(); }
};

// Takes from `logits` what the grammar does not allow next. A stop id ends the text where it is
// complete, and is none of its tokens elsewhere.
void restrict_to_grammar(Sequence& s, std::span<float> logits);

// The log-probability of `id`, and of the `top` most probable ones; log_sum is the logits'
// log-sum-exp.
TokenScore score_of_token(text::TokenId id, std::span<const float> logits, float log_sum,
                          int64_t top);

}  // namespace helio::model
