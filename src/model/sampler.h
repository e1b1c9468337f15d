// Choosing the next token from logits. Torch-free.
#pragma once

#include <cstdint>
#include <span>

#include "core/rng.h"
#include "text/tokenizer.h"

namespace helio::model {

struct SamplerOptions {
  double temperature = 0;  // 0: the most probable token (the first of equals)
  int64_t top_k = 0;       // only the k most probable; 0: all
  double top_p = 1;        // only the smallest set whose probabilities reach top_p
};

// In the order transformers applies them: temperature, top-k, top-p. Takes one number from `rng`,
// none when greedy. Throws Error{failed} when a logit is not a number.
text::TokenId sample(std::span<const float> logits, const SamplerOptions& options, Rng& rng);

}  // namespace helio::model
