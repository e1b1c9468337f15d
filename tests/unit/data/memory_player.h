// Steps played over a handful of documents, without files: the engine's own chunk runner, with one
// chunk and the surveys in memory.
#pragma once

#include <vector>

#include "data/chunk.h"
#include "data/steps.h"

namespace helio::data {

struct Played {
  std::vector<Document> kept = {};    // in the order left in
  std::vector<Dropped> dropped = {};  // in manifest order
  Counters counters = {};
};

// document.order must be set.
Played play_in_memory(const std::vector<Step>& steps, std::vector<Document> documents);

}  // namespace helio::data
