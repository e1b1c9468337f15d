// results.json: judged items to figures.
#pragma once

#include <string>

#include "core/json.h"
#include "eval/scoring.h"
#include "eval/task.h"
#include "eval/task_selection.h"

namespace helio::eval {

// What a task is, whichever model answers it.
OrderedJson task_json(const Task& task);
// One model on one task, scored.
OrderedJson result_json(const Task& task, const ScoredTask& scored, const std::string& model);
// One model on one task, not scored: `status` "not_run" with why, or "planned".
OrderedJson unscored_json(const Task& task, const std::string& model, const std::string& status,
                          const std::string& reason);

// One model on a group: its mean over the tasks, null unless every task has run. `tasks` and
// `results` are those of results.json.
OrderedJson group_json(const SelectedGroup& group, const OrderedJson& tasks,
                       const OrderedJson& results, const std::string& model);

}  // namespace helio::eval
