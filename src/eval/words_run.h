// A task that is answered in words, inside `helio eval run`: the answers, the file of them, the
// judge, the result.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "core/json.h"
#include "core/monitor.h"
#include "eval/answering.h"
#include "eval/options.h"

namespace helio::eval {

// What such a task needs of the run.
struct WordsRun {
  const EvalOptions& options;
  Respondent& respondent;
  Journal& journal;
  AnsweringOptions answering = {};
  std::filesystem::path kept = {}, out = {};  // beside the journal; the run's folder
  const StopRequest& stop;
};

struct WordsResult {
  ScoredTask scored = {};
  OrderedJson result = {};  // a row of results.json
};

// Writes answers/TASK.MODEL.jsonl as `helio eval score` (MT-Bench: `judge`) reads it, and
// judgments/TASK.MODEL.jsonl where a judge was asked. `told` is score_task's.
WordsResult run_in_words(const Task& task, const std::string& model, const WordsRun& run,
                         const std::function<void(int64_t)>& told);

}  // namespace helio::eval
