// How tokens are chosen, as the commands that generate ask for it.
#pragma once

#include "core/fields.h"
#include "model/sampler.h"

namespace helio::engine {

// --temperature, --top-p, --top-k, --min-p, --repetition-penalty.
inline void describe_sampling(Fields& f, model::SamplerOptions& sampler) {
  f("temperature", sampler.temperature, "0 takes the most probable token each time.", at_least(0));
  f("top_p", sampler.top_p, "Only the smallest set of tokens with this much probability.",
    between(0, 1));
  f("top_k", sampler.top_k, "Only the k most probable tokens; 0: all.", at_least(0));
  f("min_p", sampler.min_p, "Only tokens at least this share as probable as the most probable one.",
    between(0, 1));
  f("repetition_penalty", sampler.repetition_penalty,
    "Divides the logits of tokens that were there; 1: none.", between(0.01, 100));
}

}  // namespace helio::engine
