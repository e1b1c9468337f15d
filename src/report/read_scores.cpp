// results.json of helio eval run.
#include <algorithm>
#include <cmath>

#include "report/readers.h"

namespace helio::report {
namespace {

// {"value", "stderr", "interval95"} of one metric.
Score read_score(const Record& metric) {
  Score score{.value = metric.number("value"), .stderr_of = metric.number("stderr")};
  if (!metric.has("interval95")) return score;
  const Json& interval = metric.json().at("interval95");
  if (!interval.is_array() || interval.size() != 2 || !interval[0].is_number() ||
      !interval[1].is_number())
    metric.damaged("interval95", "[low, high]");
  score.interval = Interval{.low = interval[0], .high = interval[1]};
  return score;
}

bool flag(const Record& row, const char* key, bool otherwise) {
  if (!row.has(key)) return otherwise;
  if (!row.json().at(key).is_boolean()) row.damaged(key, "true or false");
  return row.json().at(key).get<bool>();
}

Task read_task(const Record& row) {
  Task task{.name = row.text("name"),
            .about = row.text("about"),
            .metric = row.text("main_metric"),
            .lower_is_better = !flag(row, "higher_is_better", true),
            .chance = row.number("chance")};
  const Record source = row.below("reproduces");
  if (source.has("protocol"))
    task.protocol = source.text("protocol") + " " + source.text("version");
  if (const auto shots = row.below("settings").count("shots"); shots && !task.protocol.empty())
    task.protocol += ", " + std::to_string(*shots) + "-shot";
  return task;
}

class Reader {
 public:
  Reader(Evaluation& evaluation, const Record& results)
      : evaluation_(evaluation), results_(results) {}

  void read() {
    results_.each_row("models",
                      [&](const Record& row) { evaluation_.models.push_back(row.text("name")); });
    std::vector<Task> tasks;
    results_.each_row("tasks", [&](const Record& row) { tasks.push_back(read_task(row)); });
    for (const Task& task : tasks) add(task);
    results_.each_row("results", [&](const Record& row) { result(row); });
  }

 private:
  // Bits per byte of two languages are two scales: each gets a column, named "bits_per_byte ko".
  void add(const Task& task) {
    std::vector<std::string> parts;
    if (task.lower_is_better)
      results_.each_row("results", [&](const Record& row) {
        if (row.text("task") != task.name) return;
        row.each_row("parts", [&](const Record& part) {
          if (std::find(parts.begin(), parts.end(), part.text("name")) == parts.end())
            parts.push_back(part.text("name"));
        });
      });
    if (parts.empty() || parts.size() > 4) parts = {""};
    for (const std::string& part : parts) {
      Task column = task;
      if (!part.empty()) column.name += " " + part;
      column.scores.resize(evaluation_.models.size());
      evaluation_.tasks.push_back(std::move(column));
    }
  }

  void result(const Record& row) {
    const std::string model = row.text("model"), name = row.text("task");
    const auto found = std::find(evaluation_.models.begin(), evaluation_.models.end(), model);
    if (found == evaluation_.models.end()) row.damaged("model", "one of the models listed");
    const auto index = static_cast<size_t>(found - evaluation_.models.begin());
    bool known = false;
    for (Task& task : evaluation_.tasks) {
      if (task.name != name && !task.name.starts_with(name + " ")) continue;
      known = true;
      if (task.name == name) {
        task.scores[index] = score_of(row, row, task);
        continue;
      }
      const std::string wanted = task.name.substr(name.size() + 1);
      bool there = false;
      row.each_row("parts", [&](const Record& part) {
        if (part.text("name") != wanted) return;
        task.scores[index] = score_of(row, part, task);
        there = true;
      });
      if (!there) task.scores[index].reason = row.text("reason");
    }
    if (!known) row.damaged("task", "one of the tasks listed");
  }

  static Score score_of(const Record& row, const Record& part, const Task& task) {
    Score score;
    if (part.text("status") == "ok")
      score = read_score(part.below("metrics").below(task.metric.c_str()));
    score.items = part.count("n");
    score.of = part.count("total");
    score.reason = part.text("reason");
    if (!score.value) score.items = std::nullopt;
    score.at_chance = score.value && flag(row, "at_chance", false);
    return score;
  }

  Evaluation& evaluation_;
  const Record& results_;
};

}  // namespace

Evaluation read_evaluation(const StageInfo& stage) {
  Evaluation evaluation{.stage = stage.name};
  const fs::path file = stage.out / "results.json";
  if (!fs::exists(file)) return evaluation;
  const Json json = load_object(file);
  const Record results(json, file.string());
  Reader(evaluation, results).read();
  return evaluation;
}

}  // namespace helio::report
