// Many generations at once on one model: what serving and chat know of it. Torch-free; the engine
// is made by make_generation_engine (model/generation_engine.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/sampler.h"
#include "text/grammar/token_grammar.h"
#include "text/tokenizer.h"

namespace helio::model {

struct TokenScore {
  text::TokenId id = 0;
  float log_prob = 0;  // log-softmax of the logits as the model gave them, before any option
  // The most probable tokens, most probable first, as many as asked for.
  std::vector<std::pair<text::TokenId, float>> top = {};
};

enum class Finish {
  eos,        // a stop id came
  length,     // max_new_tokens, or the model's last position
  stopped,    // the sink had enough, or the grammar's text is whole
  cancelled,  // cancel() or the engine's end
  failed,
};

// What becomes of a generation. Called on the engine's thread, in this order; must not wait.
class GenerationSink {
 public:
  virtual ~GenerationSink() = default;
  // With PromptScores::report: a score for each token of the prompt but the first.
  virtual void prompt_scored(const std::vector<TokenScore>& scores) { static_cast<void>(scores); }
  // The next token; a stop id is the last one. False: enough.
  virtual bool token(const TokenScore& token) = 0;
  // Where a draft model runs, before the end: the tokens it proposed and those that stood.
  virtual void drafted(int64_t proposed, int64_t accepted) {
    static_cast<void>(proposed);
    static_cast<void>(accepted);
  }
  // The last call; `error` says why with Finish::failed.
  virtual void finished(Finish how, const std::string& error) = 0;
};

enum class PromptScores { leave, report };

struct GenerationRequest {
  std::vector<text::TokenId> prompt = {};  // at least one, at most the model's positions
  int64_t max_new_tokens = 128;            // 0: the prompt is only scored
  SamplerOptions sampler = {};
  // What the answer must be a text of: other tokens are never chosen, stop ids only where it is
  // complete; where nothing can follow it ends. May be shared by requests.
  std::shared_ptr<text::TokenGrammar> grammar = {};
  uint64_t seed = 0;
  std::vector<text::TokenId> stop_ids = {};
  int64_t top = 0;  // alternatives in each TokenScore
  PromptScores prompt_scores = PromptScores::leave;
  std::shared_ptr<GenerationSink> sink = {};
  // Set to true from any thread: the generation ends before its next token.
  std::shared_ptr<std::atomic<bool>> cancelled = {};
};

struct EngineLoad {
  int64_t running = 0, waiting = 0, slots = 0;
  int64_t cached_tokens = 0, cache_capacity = 0;
  uint64_t prompt_tokens = 0, reused_tokens = 0, new_tokens = 0;  // since the start
  uint64_t proposed_tokens = 0, accepted_tokens = 0;              // by a draft model, and of those
};

class GenerationEngine {
 public:
  virtual ~GenerationEngine() = default;
  // Puts requests into the queue, all or, when it has no room for them, none (false).
  // Error{invalid} for one that cannot run: no prompt, an id outside the vocabulary, more tokens
  // than positions.
  virtual bool submit(std::vector<GenerationRequest> requests) = 0;
  virtual EngineLoad load() const = 0;
  virtual int64_t max_positions() const = 0;
  // For each text the mean of its tokens' last hidden states, scaled to length 1. `done` is called
  // on the engine's thread, with an error in place of vectors when it failed.
  using Vectors = std::vector<std::vector<float>>;
  virtual void embed(std::vector<std::vector<text::TokenId>> texts,
                     std::function<void(Vectors, const std::string& error)> done) = 0;
};

}  // namespace helio::model
