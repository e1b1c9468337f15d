// Choosing the next token from logits. Torch-free.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/rng.h"
#include "text/grammar/token_grammar.h"
#include "text/tokenizer.h"

namespace helio::model {

struct SamplerOptions {
  double temperature = 0;  // 0: the most probable token (the first of equals)
  int64_t top_k = 0;       // only the k most probable; 0: all
  double top_p = 1;        // only the smallest set whose probabilities reach top_p
  double min_p = 0;        // only tokens at least this share as probable as the most probable one

  // Against repetition, applied to the logits first. The repetition penalty (transformers,
  // RepetitionPenaltyLogitsProcessor) divides positive and multiplies negative logits of every
  // token of the prompt and the answer; presence and frequency penalties (OpenAI's API) are taken
  // off the logits of the answer's tokens, once and once for each time.
  double repetition_penalty = 1, presence_penalty = 0, frequency_penalty = 0;
  std::vector<std::pair<text::TokenId, float>> bias = {};  // added to the logits (OpenAI's)

  bool changes_logits() const {
    return repetition_penalty != 1 || presence_penalty != 0 || frequency_penalty != 0 ||
           !bias.empty();
  }
};

// Bias and penalties. Ids outside the logits are passed over.
void apply_penalties(std::span<float> logits, const SamplerOptions& options,
                     std::span<const text::TokenId> prompt, std::span<const text::TokenId> answer);

// -infinity for every token that may not come next. Error{invalid} when none may.
void apply_grammar(std::span<float> logits, const text::TokenSet& allowed,
                   std::span<const text::TokenId> also_allowed);

// In the order transformers applies them: temperature, top-k, top-p, min-p. Takes one number from
// `rng`, none when greedy. A logit of -infinity is never chosen. Throws Error{failed} when a logit
// is not a number.
text::TokenId sample(std::span<const float> logits, const SamplerOptions& options, Rng& rng);

// What sample() draws from, by id; with temperature 0 all of it on the most probable token.
std::vector<float> probabilities(std::span<const float> logits, const SamplerOptions& options);

// A token of these probabilities (they need not sum to 1 exactly). Takes one number from `rng`.
text::TokenId draw(std::span<const float> probabilities, Rng& rng);

// Speculative sampling (Leviathan et al. 2023, algorithm 1; Chen et al. 2023, algorithm 2): a token
// drawn from `draft` becomes one distributed as `target`: it stays with probability
// min(1, target / draft), else another is drawn from what target has above draft. The lists may
// have different lengths: what is missing is 0.
struct Verdict {
  text::TokenId id = 0;
  bool accepted = false;
};
Verdict accept_or_replace(text::TokenId proposed, std::span<const float> target,
                          std::span<const float> draft, Rng& rng);

}  // namespace helio::model
