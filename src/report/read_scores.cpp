#include <algorithm>
#include <cmath>

#include "report/readers.h"

namespace helio::report {
namespace {

Score read_score(const Record& row, const Number& chance) {
  Score score{.value = row.number("value"), .stderr_of = row.number("stderr"),
              .items = row.count("items"), .of = row.count("of"), .reason = row.text("reason")};
  if (row.has("interval")) {
    const Json& interval = row.json().at("interval");
    if (!interval.is_array() || interval.size() != 2 || !interval[0].is_number() || !interval[1].is_number())
      row.damaged("interval", "[low, high]");
    score.interval = Interval{.low = interval[0], .high = interval[1]};
  } else if (score.value && score.stderr_of) {
    const double half = 1.96 * *score.stderr_of;
    score.interval = Interval{.low = *score.value - half, .high = *score.value + half};
  }
  // A score that guessing could have made says nothing about the model.
  if (score.value && chance && score.interval)
    score.at_chance = score.interval->low <= *chance && *chance <= score.interval->high;
  return score;
}

}  // namespace

Evaluation read_evaluation(const StageInfo& stage) {
  Evaluation evaluation{.stage = stage.name};
  const fs::path file = stage.out / "results.json";
  if (!fs::exists(file)) return evaluation;
  const Json json = load_object(file);
  const Record results(json, file.string());
  results.each_row("models", [&](const Record& row) { evaluation.models.push_back(row.text("name")); });
  results.each_row("tasks", [&](const Record& row) {
    Task task{.name = row.text("name"), .about = row.text("about"), .metric = row.text("metric"),
              .protocol = row.text("reproduces"), .chance = row.number("chance")};
    if (row.has("lower_is_better")) {
      if (!row.json().at("lower_is_better").is_boolean()) row.damaged("lower_is_better", "true or false");
      task.lower_is_better = row.json().at("lower_is_better").get<bool>();
    }
    task.scores.resize(evaluation.models.size());
    evaluation.tasks.push_back(std::move(task));
  });
  results.each_row("results", [&](const Record& row) {
    const std::string model = row.text("model"), name = row.text("task");
    const auto column = std::find(evaluation.models.begin(), evaluation.models.end(), model);
    const auto task = std::find_if(evaluation.tasks.begin(), evaluation.tasks.end(),
                                   [&](const Task& t) { return t.name == name; });
    if (column == evaluation.models.end()) row.damaged("model", "one of the models listed");
    if (task == evaluation.tasks.end()) row.damaged("task", "one of the tasks listed");
    task->scores[static_cast<size_t>(column - evaluation.models.begin())] = read_score(row, task->chance);
  });
  return evaluation;
}

}  // namespace helio::report
