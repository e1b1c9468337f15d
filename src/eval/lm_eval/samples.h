// The lines of a samples_TASK_DATE.jsonl of lm-evaluation-harness as lines of samples/.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/json.h"

namespace helio::eval {

// Ids are `prefix` and doc_id. Of several filters one line an item is made: what the first read is
// its `answer` and `correct`, the flexible one's `answer_flexible` and `correct_flexible`. A score
// that is neither right nor wrong is `score` (`true_share` where choices were scored).
// Error{invalid} with file and line for a line that is not lm-evaluation-harness's, and for an item
// twice.
std::vector<OrderedJson> read_lm_eval_samples(const std::filesystem::path& file,
                                              const std::string& prefix,
                                              const std::string& main_metric);

}  // namespace helio::eval
