#include "eval/task_spec.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/fs.h"
#include "core/options.h"
#include "eval/prepare.h"
#include "eval/profile.h"

namespace helio::eval {
namespace {

constexpr std::string_view kEnding = ".task.yaml";

struct ModeRule {
  const char* mode;
  const char* needs;
  std::vector<std::string> metrics;
};
const std::vector<ModeRule>& modes() {
  static const std::vector<ModeRule> all = {
      {"multiple_choice", "benchmarks", {"acc", "acc_norm", "f1"}},
      {"partial_context", "benchmarks", {"acc", "f1"}},
      {"labelled_choices", "benchmarks", {"acc"}},
      {"generate", "benchmarks", {"exact_match", "exact_match_flexible"}},
      {"conversation", "benchmarks", {}},  // by answer.read: words_metrics
      {"group", "members", {"acc", "acc_norm", "f1", "main"}},
      {"bits_per_byte", "dataset", {"bits_per_byte"}},
      {"cloze", "dataset", {"acc", "acc_norm"}},
      {"preference", "pairs", {"acc", "acc_norm"}}};
  return all;
}

// What can be measured of answers that are read so.
const std::vector<std::string>& words_metrics(const std::string& read) {
  static const std::map<std::string, std::vector<std::string>> all = {
      {"ifeval",
       {"prompt_level_strict_acc", "inst_level_strict_acc", "prompt_level_loose_acc",
        "inst_level_loose_acc"}},
      {"eq_bench", {"score"}},
      {"mt_bench", {"score", "score_turn_1", "score_turn_2"}},
      {"gsm8k", {}}};
  return all.at(read);
}

void check(const TaskSpec& task) {
  const auto require = [&](bool holds, const std::string& what) {
    if (!holds) throw Error(ErrorKind::invalid, "task '" + task.name + "': " + what);
  };
  const auto rule = std::find_if(modes().begin(), modes().end(),
                                 [&](const ModeRule& r) { return r.mode == task.mode; });
  require(task.needs == rule->needs, "mode " + task.mode + " needs: " + rule->needs);
  require(!task.metrics.empty(), "no metrics");
  const bool talks = task.mode == "conversation";
  const auto& known = talks ? words_metrics(task.answer.read) : rule->metrics;
  if (talks)
    require(task.metrics == known, "metrics are not those of answers read as " + task.answer.read);
  for (const auto& metric : task.metrics)
    require(std::find(known.begin(), known.end(), metric) != known.end(),
            "mode " + task.mode + " has no metric '" + metric + "'");
  require(
      std::find(task.metrics.begin(), task.metrics.end(), task.main_metric) != task.metrics.end(),
      "main_metric must be one of its metrics");
  if (task.needs == "benchmarks") {
    require(!task.data.places.empty(), "data.places is empty");
    if (task.mode == "multiple_choice" || task.mode == "partial_context")
      require(!task.gold.empty(), "gold is missing");
    require(task.shots.count == 0 || !task.shots.split.empty(), "shots without shots.split");
    require(task.prepare == "none" || find_prepare(task.prepare),
            "no piece called '" + task.prepare + "' in src/eval/prepare");
  }
  if (task.needs == "dataset") require(!task.languages.empty(), "languages is empty");
  if (task.mode == "group") require(!task.members.empty(), "members is empty");
  if (task.mode == "generate") {
    require(!task.prompt.empty() && !task.target.empty(), "prompt and target are needed");
    require(!task.answer.until.empty(), "answer.until is empty");
    require(task.answer.read == "gsm8k", "answer.read is for mode conversation");
  }
  if (talks)
    require(!task.prompt.empty() && task.shots.count == 0, "prompt is needed, and no shots");
  if (task.mode == "labelled_choices")
    require(!task.labels.empty() && task.shots.count == 0, "labels are needed, and no shots");
  for (const auto& name : task.profiles.known) find_profile(name);
  if (task.mode == "multiple_choice" || task.mode == "labelled_choices") {
    require(!task.prompt.empty(), "prompt is missing");
    require(task.choices.empty() != task.choices_from.empty(),
            "exactly one of choices and choices_from");
  }
  if (task.mode == "partial_context")
    require(!task.contexts_from.empty() && !task.continuation.empty(),
            "contexts_from and continuation are needed");
}

}  // namespace

TaskSpec read_task(std::string_view yaml, const std::string& name, const std::string& source) {
  TaskSpec task;
  task.name = name;
  return in_context([&] { return "while reading task " + source; },
                    [&] {
                      read_options(parse_yaml(yaml, source), describe(task));
                      check(task);
                      return task;
                    });
}

TaskSpec with_profile(TaskSpec task, const std::string& profile) {
  const Profile& wanted = find_profile(profile);
  if (task.reproduces.protocol != "lm-evaluation-harness") return task;
  const auto& known = task.profiles.known;
  if (std::find(known.begin(), known.end(), wanted.name) == known.end()) {
    std::string names;
    for (const auto& name : known) names += (names.empty() ? "" : ", ") + name;
    throw Error(ErrorKind::usage, "task '" + task.name + "' has no profile '" + wanted.name + "'")
        .with_hint("it follows " + names);
  }
  task.reproduces.version = wanted.version;
  if (wanted.name == "current") return task;
  const OverrideSpec& over =
      wanted.name == "evalverse" ? task.profiles.evalverse : task.profiles.openllm_v1;
  if (!over.description.empty()) task.description = over.description;
  if (!over.labels_rule.empty()) task.labels_rule = over.labels_rule;
  if (!over.until.empty()) task.answer.until = over.until;
  if (over.draw_extra >= 0) task.shots.draw_extra = over.draw_extra;
  return task;
}

std::string task_yaml(const std::string& name) {
  if (name.ends_with(kEnding)) return read_file(name);
  for (const auto& file : task_files())
    if (file.name == name) return file.yaml;
  std::vector<std::string> known;
  for (const auto& file : task_files()) known.push_back(file.name);
  const std::string near = nearest(name, known);
  throw Error(ErrorKind::not_found, "no task '" + name + "'")
      .with_hint((near.empty() ? "" : "did you mean '" + near + "'? ") +
                 std::string("`helio eval list` shows them; a file of your own is given by its "
                             "path, ending in .task.yaml"));
}

TaskSpec find_task(const std::string& name) {
  const std::string yaml = task_yaml(name);
  if (!name.ends_with(kEnding))
    return read_task(yaml, name, "tasks/" + name + std::string(kEnding));
  std::string leaf = fs::path(name).filename().string();
  leaf.resize(leaf.size() - kEnding.size());
  return read_task(yaml, leaf, name);
}

}  // namespace helio::eval
