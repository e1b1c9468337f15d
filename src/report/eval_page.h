// Results of helio eval run as a page of their own: leaderboard, charts, parts of tasks, and every
// item with each model's answer. One self-contained HTML file in English and Korean.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "report/model.h"

namespace helio::report {

// One model's score of one task or part; `task` with its figures as results.json has them.
struct EvalRow {
  std::string model = {}, task = {}, part = {}, metric = {}, status = {}, reason = {};
  bool lower_is_better = false;
  Score score = {};
};

// An item of a task and what each model made of it; rows of samples/, as they were written.
struct EvalItem {
  std::string task = {}, id = {};
  std::vector<std::optional<Json>> answers = {};  // one a model
  std::vector<std::optional<bool>> correct = {};  // one a model, where the row says
};

// What helio eval overlap found of a task in a training dataset, and what each model scored with
// and without it.
struct EvalOverlap {
  std::string task = {}, dataset = {};
  int64_t ngram = 0, items = 0, too_short = 0, contaminated = 0;
  struct Shares {  // of right answers; empty where the items say no verdict
    std::optional<double> found = {}, rest = {};
  };
  std::vector<Shares> models = {};
};

struct EvalReport {
  Evaluation evaluation = {};
  std::vector<EvalRow> rows = {};    // whole tasks, then their parts
  std::vector<EvalItem> items = {};  // those models disagree on first
  std::vector<EvalOverlap> overlaps = {};
  int64_t items_left_out = 0;
};

// Folders with results.json and samples/, put together. Models of one name in two folders, and a
// task whose settings differ between folders, are named apart by their folder. At most `items`
// items a task. `overlaps`: files of helio eval overlap, shown where their task is. A missing
// folder or damaged file is an Error.
EvalReport read_eval_report(const std::vector<std::string>& folders, int64_t items,
                            const std::vector<std::string>& overlaps = {});

// Mean over the tasks that every model has (shares of 1 only), one a model; empty when there is
// none.
std::vector<double> common_averages(const Evaluation& evaluation, std::vector<std::string>& tasks);

std::string render_eval_page(const EvalReport& report, const std::string& title,
                             const std::string& version);
// One line a model, task and part: model, task, part, metric, value, stderr, low, high, n, total,
// status, reason.
std::string eval_csv(const EvalReport& report);
// A table with a line a model; what did not run is a dash.
std::string eval_markdown(const EvalReport& report);

}  // namespace helio::report
