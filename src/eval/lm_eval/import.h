// Results that lm-evaluation-harness wrote (0.4.x: results_*.json and samples_*.jsonl), as an
// evaluation's folder of ours: helio eval report and compare read it beside others.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/json.h"

namespace helio::eval {

struct LmEvalImported {
  OrderedJson results = {};      // the content of results.json
  int64_t files = 0, items = 0;  // results files read; lines of samples/ written
  std::vector<std::string> without_items =
      {};  // "MODEL on TASK": no samples file beside its result
};

// `from`: results_*.json files, or folders that are searched for them. Of a model's results on one
// task the latest by file name counts. MMLU's and KMMLU's subjects become one task with parts, as
// ours are; GSM8K's filters metrics of one task. What is not lm-evaluation-harness's, or is
// damaged, is an Error with its file, line and key; nothing is written then. `out` must not exist
// or be empty.
LmEvalImported import_lm_eval(const std::vector<std::string>& from,
                              const std::filesystem::path& out);

}  // namespace helio::eval
