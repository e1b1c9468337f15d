// One model on one task: all its requests in the order of their ids, equal ones once; units of them
// that never depend on what was scored before; units through the journal.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "eval/journal.h"
#include "eval/task.h"

namespace helio::eval {

struct ScoringOptions {
  int64_t batch_tokens = 8192, threads = 0;
  std::string settings = {};  // what decides the scores beside the requests: goes into journal keys
};

struct ScoredTask {
  std::vector<Judged> items = {};   // in item order; of an item that could not be asked, empty
  std::vector<uint8_t> asked = {};  // 1 where the item was asked and judged
  int64_t unscorable = 0;
};

// `done(cost)` is called when items of that cost (Task::cost) have their scores. Interruption is
// asked for by throwing from it.
ScoredTask score_task(const Task& task, model::LanguageModel& model, Journal& journal,
                      const ScoringOptions& options, const std::function<void(int64_t)>& done);

}  // namespace helio::eval
