// helio align score: what a model, and a reference, make of preference data, pair by pair.
#pragma once

#include <functional>

#include "core/monitor.h"
#include "train/options.h"
#include "train/preferences.h"

namespace helio::train {

struct ScoreSummary {
  int64_t pairs = 0, correct = 0, of = 0;  // correct: of those with two answers, by reward
  double margin = 0, loss = 0;             // means
  int64_t prompts_cut = 0, answers_cut = 0, equal_after_cut = 0;
  std::map<std::string, int64_t> refused = {};
  OrderedJson json() const;
};

// Calls `row` for each pair: {"id", "source", "tokens", "log_probs", "reference_log_probs",
// "rewards", "margin", "loss"}; lists are [chosen, rejected], null for an answer that is not there.
// The loss is the pair's own (what a batch of one gives); KTO's KL is estimated over all pairs.
ScoreSummary score_preferences(const ScoreOptions& options, Monitor& monitor,
                               const StopRequest& stop,
                               const std::function<void(const OrderedJson&)>& row);

}  // namespace helio::train
