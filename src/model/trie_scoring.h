// Scores requests on a decoder: their prefix tree (model/score_plan.h) walked depth first, each
// node run once, in its parent's pass or a later one, from shared pages of keys and values; nodes
// of many requests stand packed in a pass, and only rows that are asked for meet the vocabulary.
#pragma once

#include <vector>

#include "model/decoder.h"
#include "model/score_plan.h"

namespace helio::model {

struct TrieScoringOptions {
  int64_t batch_tokens = 8192;  // of a pass
  int64_t page_tokens = 8;
};

// In the order of the requests. Grad mode off. The decoder's positions must not depend on a
// sequence's length: Decoder::alike.
std::vector<Score> score_plan(const Decoder& decoder, const ScorePlan& plan, size_t requests,
                              const TrieScoringOptions& options);

}  // namespace helio::model
