// Folders of helio eval run, put together for the evaluation's own page.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/lines.h"
#include "report/eval_page.h"
#include "report/readers.h"

namespace helio::report {
namespace {

std::string apart(std::string name, const std::vector<std::string>& taken,
                  const std::string& label) {
  if (std::find(taken.begin(), taken.end(), name) == taken.end()) return name;
  const std::string base = name + " · " + label;
  name = base;
  for (int i = 2; std::find(taken.begin(), taken.end(), name) != taken.end(); ++i)
    name = base + " " + std::to_string(i);
  return name;
}

std::optional<bool> verdict(const Json& row, const std::string& metric) {
  const char* normed = "correct_norm";
  for (const char* key : {metric == "acc_norm" ? normed : "correct", "correct"})
    if (const auto found = row.find(key); found != row.end() && found->is_boolean())
      return found->get<bool>();
  return std::nullopt;
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>()
                           : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

class Merger {
 public:
  Merger(EvalReport& report, int64_t items) : report_(report), limit_(items) {}

  void add(const fs::path& folder) {
    const fs::path file = folder / "results.json";
    const Json json = load_object(file);
    const Record results(json, file.string());
    const std::string label = fs::path(folder).lexically_normal().filename().string().empty()
                                  ? folder.parent_path().filename().string()
                                  : folder.filename().string();
    const Evaluation found = read_evaluation({.name = label, .out = folder});
    std::map<std::string, std::string> model_names, task_names;
    auto& models = report_.evaluation.models;
    for (const auto& name : found.models) {
      const std::string shown = apart(name, models, label);
      model_names[name] = shown;
      models.push_back(shown);
    }
    results.each_row("tasks", [&](const Record& row) {
      const std::string name = row.text("name");
      const std::string settings = row.has("settings") ? row.json().at("settings").dump() : "";
      std::string shown = name;
      const auto known = settings_.find(name);
      if (known != settings_.end() && known->second != settings) shown = name + " · " + label;
      settings_.emplace(shown, settings);
      task_names[name] = shown;
    });
    for (Task task : found.tasks) {
      // "bits_per_byte ko" is a column of the task bits_per_byte.
      const std::string name = task.name.substr(0, task.name.find(' '));
      if (const auto shown = task_names.find(name);
          shown != task_names.end() && shown->second != name)
        task.name = shown->second + task.name.substr(name.size());
      place(std::move(task), models.size() - found.models.size());
    }
    rows(results, model_names, task_names);
    samples(folder, found, model_names, task_names);
  }

  // Before finish(), which keeps some of the items only.
  void overlap(const fs::path& file) {
    const Json json = load_object(file);
    const Record record(json, file.string());
    EvalOverlap out{.task = record.text("task"),
                    .dataset = record.text("dataset"),
                    .ngram = record.count("ngram").value_or(0),
                    .items = record.count("items").value_or(0),
                    .too_short = record.count("too_short").value_or(0),
                    .contaminated = record.count("contaminated").value_or(0)};
    if (out.task.empty())
      throw Error(ErrorKind::invalid, file.string() + " is not of helio eval overlap");
    std::set<std::string> docs;
    record.each_row("overlaps", [&](const Record& row) { docs.insert(row.text("doc")); });
    const size_t models = report_.evaluation.models.size();
    struct Count {
      int64_t n = 0, right = 0;
    };
    std::vector<std::pair<Count, Count>> counts(models);
    for (const auto& [key, item] : items_) {
      // "mmlu · b" is mmlu of another folder.
      if (key.first.substr(0, key.first.find(" · ")) != out.task) continue;
      for (size_t m = 0; m < item.correct.size(); ++m)
        if (item.correct[m]) {
          Count& count = docs.contains(key.second) ? counts[m].first : counts[m].second;
          ++count.n;
          count.right += *item.correct[m];
        }
    }
    const auto share = [](const Count& count) {
      return count.n
                 ? std::optional(static_cast<double>(count.right) / static_cast<double>(count.n))
                 : std::nullopt;
    };
    for (const auto& [found, rest] : counts)
      out.models.push_back({.found = share(found), .rest = share(rest)});
    report_.overlaps.push_back(std::move(out));
  }

  void finish() {
    for (Task& task : report_.evaluation.tasks)
      task.scores.resize(report_.evaluation.models.size());
    // Items of which some model is right and some wrong come first.
    std::map<std::string, std::vector<EvalItem>> by_task;
    for (auto& [key, item] : items_) {
      item.answers.resize(report_.evaluation.models.size());
      item.correct.resize(report_.evaluation.models.size());
      by_task[key.first].push_back(std::move(item));
    }
    const auto split = [](const EvalItem& item) {
      const auto any = [&](bool wanted) {
        return std::any_of(item.correct.begin(), item.correct.end(),
                           [&](const auto& c) { return c && *c == wanted; });
      };
      return any(true) && any(false);
    };
    for (auto& [task, list] : by_task) {
      std::stable_partition(list.begin(), list.end(), split);
      const auto kept = std::min<size_t>(list.size(), static_cast<size_t>(limit_));
      report_.items_left_out += static_cast<int64_t>(list.size() - kept);
      list.resize(kept);
      for (auto& item : list) report_.items.push_back(std::move(item));
    }
  }

 private:
  void place(Task task, size_t first) {
    auto& tasks = report_.evaluation.tasks;
    const auto found = std::find_if(tasks.begin(), tasks.end(),
                                    [&](const Task& each) { return each.name == task.name; });
    const std::vector<Score> scores = std::exchange(task.scores, {});
    Task& to = found == tasks.end() ? tasks.emplace_back(std::move(task)) : *found;
    to.scores.resize(first);
    to.scores.insert(to.scores.end(), scores.begin(), scores.end());
  }

  void rows(const Record& results, std::map<std::string, std::string>& models,
            std::map<std::string, std::string>& tasks) {
    std::map<std::string, std::pair<std::string, bool>> metric_of;
    results.each_row("tasks", [&](const Record& row) {
      metric_of[row.text("name")] = {
          row.text("main_metric"),
          row.has("higher_is_better") && row.json().at("higher_is_better") == Json(false)};
    });
    results.each_row("results", [&](const Record& row) {
      const auto& [metric, lower] = metric_of[row.text("task")];
      const auto add = [&](const Record& part, const std::string& name) {
        EvalRow out{.model = models[row.text("model")],
                    .task = tasks[row.text("task")],
                    .part = name,
                    .metric = metric,
                    .status = part.text("status"),
                    .reason = part.text("reason"),
                    .lower_is_better = lower};
        const Record figure = part.below("metrics").below(metric.c_str());
        out.score.value = figure.number("value");
        out.score.stderr_of = figure.number("stderr");
        if (figure.has("interval95") && figure.json().at("interval95").is_array() &&
            figure.json().at("interval95").size() == 2 &&
            figure.json().at("interval95")[0].is_number() &&
            figure.json().at("interval95")[1].is_number())
          out.score.interval = Interval{figure.json().at("interval95")[0].get<double>(),
                                        figure.json().at("interval95")[1].get<double>()};
        out.score.items = part.count("n");
        out.score.of = part.count("total");
        report_.rows.push_back(std::move(out));
      };
      add(row, "");
      row.each_row("parts", [&](const Record& part) {
        if (!part.text("name").empty()) add(part, part.text("name"));
      });
    });
  }

  void samples(const fs::path& folder, const Evaluation& found,
               std::map<std::string, std::string>& models,
               std::map<std::string, std::string>& tasks) {
    auto& all = report_.evaluation.models;
    for (const auto& [task, shown] : tasks) {
      std::string metric;
      for (const Task& each : report_.evaluation.tasks)
        if (each.name == shown) metric = each.metric;
      for (const auto& model : found.models) {
        std::string name = model;
        std::replace(name.begin(), name.end(), '/', '.');
        const fs::path file = folder / "samples" / (task + "." + name + ".jsonl");
        if (!fs::exists(file)) continue;
        const auto place =
            static_cast<size_t>(std::find(all.begin(), all.end(), models[model]) - all.begin());
        read_jsonl(file, [&](const Json& row, int64_t line) {
          if (!row.is_object() || !row.contains("doc"))
            throw Error(ErrorKind::invalid,
                        file.string() + ":" + std::to_string(line) + ": no 'doc'");
          const std::string id = text_of(row.at("doc"));
          const auto [entry, fresh] = items_.try_emplace({shown, id});
          EvalItem& item = entry->second;
          if (fresh) item.task = shown, item.id = id;
          item.answers.resize(all.size());
          item.correct.resize(all.size());
          item.answers[place] = row;
          item.correct[place] = verdict(row, metric);
        });
      }
    }
  }

  EvalReport& report_;
  int64_t limit_;
  std::map<std::string, std::string> settings_ = {};
  std::map<std::pair<std::string, std::string>, EvalItem> items_ = {};
};

}  // namespace

EvalReport read_eval_report(const std::vector<std::string>& folders, int64_t items,
                            const std::vector<std::string>& overlaps) {
  EvalReport report;
  Merger merger(report, items);
  for (const auto& folder : folders) merger.add(folder);
  for (const auto& file : overlaps) merger.overlap(file);
  merger.finish();
  return report;
}

std::vector<double> common_averages(const Evaluation& evaluation, std::vector<std::string>& tasks) {
  std::vector<double> sums(evaluation.models.size(), 0);
  tasks.clear();
  for (const Task& task : evaluation.tasks) {
    const bool everywhere = !task.lower_is_better &&
                            std::all_of(task.scores.begin(), task.scores.end(), [](const Score& s) {
                              return s.value && *s.value >= 0 && *s.value <= 1;
                            });
    if (!everywhere) continue;
    tasks.push_back(task.name);
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += *task.scores[i].value;
  }
  if (tasks.empty()) return {};
  for (double& sum : sums) sum /= static_cast<double>(tasks.size());
  return sums;
}

}  // namespace helio::report
