// A request on its way through the engine (for generation_engine.cpp and what its steps are made
// of).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/rng.h"
#include "model/generation.h"
#include "model/page_pool.h"

namespace helio::model {

// A token that the draft model would choose.
struct Proposal {
  text::TokenId id = 0;
  std::vector<float> probabilities = {};  // what it was drawn from; empty: it was the largest
};

struct Sequence {
  GenerationRequest request;
  Rng rng, draft_rng;
  std::vector<text::TokenId> ids = {};  // prompt and answer
  std::vector<PageId> pages = {};
  PagePool::Published published = {};
  std::optional<text::GrammarMatcher> matcher = {};
  int64_t fed = 0;        // of `ids`, how many are in the pages
  int64_t draft_fed = 0;  // and how many in the draft model's, which are the same pages
  int64_t step = 0;       // of `ids`, how many the running step feeds
  int64_t wanted = 0;     // proposals that it asks the draft model for
  std::vector<Proposal> proposals = {};
  int64_t proposed = 0, accepted = 0;  // of the whole answer
  std::vector<TokenScore> prompt_scores = {};
  bool prompt_told = false, counted = false;
  std::optional<Finish> ended = {};
  std::string error = {};  // why, with Finish::failed

  explicit Sequence(GenerationRequest r)
      : request(std::move(r)),
        rng(Rng::stream(request.seed, "generate")),
        draft_rng(Rng::stream(request.seed, "draft")),
        ids(request.prompt) {
    if (request.grammar) matcher.emplace(request.grammar);
  }
  int64_t prompt_size() const { return static_cast<int64_t>(request.prompt.size()); }
  int64_t size() const { return static_cast<int64_t>(ids.size()); }
  int64_t answered() const { return size() - prompt_size(); }
  bool scores_prompt() const {
    return request.prompt_scores == PromptScores::report && !prompt_told;
  }
  bool cancelled() const { return request.cancelled && request.cancelled->load(); }
  void end(Finish how, std::string why = {}) {
    ended = how;
    error = std::move(why);
  }
};

}  // namespace helio::model
