// A study: variants x seeds. Each cell of that matrix is a run that is known by its key and never
// repeated; over the seeds stand means, Student's intervals, and differences from one variant seed
// by seed. What a run does is its command's business. Torch-free.
//
//   OUT/runs/VARIANT/seed-S/result.json   {"key", "figures", "facts"}, written when a run is done
//   OUT/study.json, OUT/study.md          what is known so far, written after every run
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/monitor.h"

namespace helio::train {

struct StudyCell {
  std::string variant = {};
  std::optional<int64_t> seed =
      {};                // nothing: the same for every seed (a model that is not trained)
  std::string key = {};  // hash of all that decides the figures
  // Works in `dir` and returns {"figures": {name: number or null}, "facts": {...}}. What a stopped
  // run left in `dir` is its own to go on from.
  std::function<OrderedJson(const std::filesystem::path& dir)> run = {};
  // What it would take: {"steps", "tokens", "seconds"} of training. May be empty.
  std::function<OrderedJson()> cost = {};
};

struct StudyFigure {
  std::string name = {}, heading = {};
  int decimals = 4;
};

struct StudyPlan {
  std::string title = {};
  std::filesystem::path out = {};
  std::string baseline = {};  // the variant others are compared with; empty: none
  std::vector<StudyFigure> figures = {};
  std::vector<StudyCell> cells = {};  // in the order they are run
  OrderedJson setup = {};             // told as it is in study.json
};

// Error{usage, invalid}: no folder, or one that holds something else than a study.
void check_study_folder(const std::filesystem::path& out);
std::filesystem::path cell_folder(const StudyPlan& plan, const StudyCell& cell);
// The result of a cell that is done, under its present key.
std::optional<OrderedJson> finished_cell(const StudyPlan& plan, const StudyCell& cell);

// {"title", "baseline", "complete", "figures", "runs", "variants", "differences", "setup"} of the
// cells that are done. A figure that a run has as null ("not reached") is counted and left out of
// the mean. Differences are variant - baseline over the seeds that both have.
OrderedJson study_json(const StudyPlan& plan);
// The same as Markdown: two tables, "mean [low, high]" with "(k of n)" where runs lack the figure.
std::string study_table(const OrderedJson& study);

// What running would do now: {"runs": [{"variant", "seed", "key", "finished", "steps", "tokens",
// "seconds"}], "seconds"}, the sum over runs that are not done.
OrderedJson study_costs(const StudyPlan& plan);

// Runs what is not done yet, and writes study.json and study.md after every cell. Returns
// study_json. Error{invalid}: two cells in one place, or a baseline that is none of them.
OrderedJson run_study(const StudyPlan& plan, Monitor& monitor, const StopRequest& stop);

}  // namespace helio::train
