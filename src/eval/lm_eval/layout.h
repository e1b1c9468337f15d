// One model's results as lm-evaluation-harness 0.4.13 writes them, for the tools that read those:
//
//   DIR/MODEL/results_DATE.json         the same keys; what it has and we have not is null
//   DIR/MODEL/samples_TASK_DATE.jsonl   one line an item and filter, with its prompts
//
// MODEL is the name as lm-evaluation-harness makes folders of names. A task with parts (MMLU) is
// its group of tasks (mmlu_anatomy). `doc` holds the item's id alone: its text is in `arguments`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/json.h"
#include "eval/scoring.h"
#include "eval/task.h"

namespace helio::eval {

// A metric of ours as lm-evaluation-harness names it: {"exact_match", "flexible-extract"}; the
// filter of most is "none".
struct LmEvalMetric {
  std::string name = {}, filter = "none";
};
LmEvalMetric lm_eval_metric(const std::string& ours);
std::string our_metric(const LmEvalMetric& theirs);

// A part of a task as its task's name ends: Civil-Engineering is civil_engineering there.
std::string lm_eval_part(std::string part);

// The name of a model's folder: its lm_eval.utils.sanitize_model_name.
std::string lm_eval_folder(const std::string& model);

class LmEvalLayout {
 public:
  // `now`: seconds since 1970, for names and `date`; `settings`: results.json's.
  LmEvalLayout(std::filesystem::path dir, std::string model, double now, OrderedJson settings);

  // Writes the task's samples and notes its result (result_json's).
  void add(const Task& task, const ScoredTask& scored, const OrderedJson& result);
  // Writes results_DATE.json; `model` is results.json's entry.
  void write(const OrderedJson& model);
  // Names of the files written: they hold the clock.
  const std::vector<std::string>& files() const { return files_; }

 private:
  struct Entry {
    std::string name = {}, alias = {};
    int64_t begin = 0, end = 0, total = 0;
  };
  void add_entry(const Task& task, const ScoredTask& scored, const Entry& entry,
                 const OrderedJson& metrics, int64_t n);
  void add_group(const Task& task, const std::string& name, const std::string& alias,
                 const OrderedJson& metrics, int64_t n, const std::vector<std::string>& members);
  void write_samples(const Task& task, const ScoredTask& scored, const Entry& entry);

  std::filesystem::path dir_;
  std::string model_, date_;
  double now_;
  OrderedJson settings_, results_ = OrderedJson::object(), groups_ = OrderedJson::object(),
                         subtasks_ = OrderedJson::object(), configs_ = OrderedJson::object(),
                         versions_ = OrderedJson::object(), shots_ = OrderedJson::object(),
                         higher_ = OrderedJson::object(), counts_ = OrderedJson::object(),
                         hashes_ = OrderedJson::object();
  std::vector<std::string> files_ = {};
};

}  // namespace helio::eval
