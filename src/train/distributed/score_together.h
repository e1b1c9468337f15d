// Log-probabilities of pairs, computed by all processes of a run.
#pragma once

#include <functional>
#include <vector>

#include "model/decoder.h"
#include "train/distributed/communicator.h"
#include "train/preferences.h"

namespace helio::train::distributed {

// score_pairs (train/objective.h) with the pairs divided among the processes; all of them get all
// scores. `link` may be null. `progress` is called with the pairs of this process done, times their
// number.
std::vector<PairScore> score_together(Communicator* link, const model::Decoder& model,
                                      const std::vector<EncodedPreference>& pairs,
                                      int64_t batch_tokens,
                                      const std::function<void(int64_t)>& progress);

// Rank 0's scores to all: `own` of rank 0 counts.
std::vector<PairScore> send_scores(Communicator& link, const std::vector<PairScore>& own);

}  // namespace helio::train::distributed
