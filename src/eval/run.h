// helio eval run without the command line: every model on every task, into an artefact folder.
//
//   results.json                figures, and what each stands on (docs/evaluation.md lists its
//   keys) samples/TASK.MODEL.jsonl    one line an item: log-probabilities, right answer, prediction
//   answers/TASK.MODEL.jsonl    answers in words, as helio eval score reads them
//   judgments/TASK.MODEL.jsonl  MT-Bench's, as the judge gave them
//
// While it runs, scores are kept in a journal beside the folder; an interrupted run goes on from
// there.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/file_hashes.h"
#include "core/json.h"
#include "core/monitor.h"
#include "eval/model_place.h"
#include "eval/options.h"
#include "eval/respondent.h"
#include "model/language_model.h"

namespace helio::eval {

struct EvalEnvironment {
  // `hashes` outlives the model.
  std::function<std::unique_ptr<model::LanguageModel>(const ModelPlace&, FileHashes& hashes)> load =
      {};
  // Who answers in words for a model that `load` gave; `chat` writes its conversations, or null.
  // Both outlive the respondent.
  std::function<std::unique_ptr<Respondent>(const model::LanguageModel& model,
                                            const std::filesystem::path& folder,
                                            const text::ChatFormat* chat)>
      respond = {};
  Monitor& monitor;
  const StopRequest& stop;
};

// The content of results.json. With options.dry_run nothing is loaded or written, and every result
// that could be had has status "planned".
OrderedJson run_evaluation(const EvalOptions& options, const EvalEnvironment& environment);

// What models are called: the path below a folder "models" when there is one, else the last
// component; an endpoint's by its name; longer (with the endpoint's address) where two would be
// equal.
std::vector<std::string> display_names(const std::vector<std::string>& paths);

// Models down, tasks across: value ± standard error, '—' for what did not run, and '≈' where the
// score cannot be told from a guess.
std::string results_table(const OrderedJson& results);

}  // namespace helio::eval
