// Continuous batching on a local decoder: every step runs one new token of each sequence that
// generates together with a piece of the prompts that came in meanwhile; sequences that begin alike
// share their cache. One thread of its own.
// The step's plan: Yu et al. 2022 (Orca), prompts in pieces: Agrawal et al. 2023 (Sarathi).
#pragma once

#include <memory>

#include "model/decoder.h"
#include "model/generation.h"

namespace helio::model {

// What runs together in a step.
enum class Batching {
  // Whatever there is: nobody waits long. Rows of a product are summed in an order that follows
  // their number, so a log-probability may differ by rounding from the sequence's own.
  mixed,
  // Each prompt whole and by itself, then one token of every sequence, in numbers of rows that are
  // summed alike; nothing is reused, and a sequence begins when there is room for all of it (one
  // that never has is refused). With packed f32 weights (Decoder::load_packed) every number is the
  // same bits however many sequences run beside it. At most 16 slots, no
  // draft model.
  as_alone,
};

struct EngineOptions {
  int64_t slots = 32;        // sequences that generate at once
  int64_t waiting = 1024;    // requests that may wait for a slot
  int64_t cache_tokens = 0;  // room for keys and values; 0: four of the longest sequences
  int64_t page_tokens = 32;
  int64_t prompt_tokens =
      512;                   // of prompts in one step, so that nobody waits long for the next one
  int64_t draft_tokens = 4;  // proposed by the draft model, where there is one, for each step
  Batching batching = Batching::mixed;
};

// The engine takes the decoder over. Error{memory} when the cache does not fit.
std::unique_ptr<GenerationEngine> make_generation_engine(Decoder decoder,
                                                         const EngineOptions& options = {});
// The same on a decoder that others use too, at other times.
std::unique_ptr<GenerationEngine> make_generation_engine(std::shared_ptr<const Decoder> decoder,
                                                         const EngineOptions& options = {});
// The same with a draft model, which proposes tokens that the decoder looks at all at once: the
// same greedy text, the same distribution of what is drawn. Ids must mean the same texts to both.
// Error{invalid} where rotary frequencies of one follow the length.
std::unique_ptr<GenerationEngine> make_generation_engine(Decoder decoder, Decoder draft,
                                                         const EngineOptions& options);

}  // namespace helio::model
