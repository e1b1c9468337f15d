// A smaller model that says tokens ahead, which the engine's model then looks at all at once
// (speculative decoding: Leviathan et al. 2023; Chen et al. 2023).
#pragma once

#include <span>

#include "model/decoder.h"
#include "model/paged_cache.h"
#include "model/sequence.h"

namespace helio::model {

class Draft {
 public:
  // Its keys and values lie in pages of the same numbers as the engine's model's.
  Draft(Decoder decoder, int64_t pages, int64_t page_tokens);

  // Longest sequence it can go on from, in tokens.
  int64_t max_positions() const { return decoder_.config().longest_sequence(); }

  // Brings what it has of each sequence to where the running step will bring the engine's model,
  // then makes the proposals that are wanted; fewer where the answer would end. Tokens are chosen
  // as the request says, penalties and grammar included, by draft_rng.
  // `vocabulary`: of the engine's model; later ids of its own are never proposed.
  void run(std::span<Sequence* const> sequences, int64_t vocabulary);

 private:
  Decoder decoder_;
  PagedCache cache_;
};

}  // namespace helio::model
