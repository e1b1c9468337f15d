#include "eval/lm_eval/import.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "core/lines.h"
#include "core/manifest.h"
#include "core/version.h"
#include "eval/lm_eval/layout.h"
#include "eval/lm_eval/samples.h"
#include "eval/statistics.h"
#include "eval/task_spec.h"

namespace helio::eval {
namespace {

constexpr uintmax_t kLargestResults = uintmax_t(256) << 20;
constexpr size_t kLongestName = 100;

Error wrong(const std::string& what) { return {ErrorKind::invalid, what}; }

// A name that becomes part of a file's name.
std::string safe_name(const std::string& name, const char* what) {
  const bool odd = std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 32; });
  if (name.empty() || name.size() > kLongestName || odd)
    throw wrong(std::string(what) + " has a name of " + std::to_string(name.size()) +
                " bytes, or one with control characters");
  return name;
}

std::string file_name(std::string name) {
  std::replace(name.begin(), name.end(), '/', '.');
  return name;
}

const Json* member(const Json& object, const std::string& key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

std::string text_at(const Json& object, const std::string& key) {
  const Json* found = member(object, key);
  return found && found->is_string() ? found->get<std::string>() : std::string();
}

int64_t count_at(const Json* object, const std::string& key) {
  const Json* found = object ? member(*object, key) : nullptr;
  if (!found || !found->is_number_unsigned()) return 0;
  return static_cast<int64_t>(std::min<uint64_t>(found->get<uint64_t>(), uint64_t{1} << 40));
}

// One task's figures in one file: of a task of its own, or of a part.
struct Row {
  OrderedJson metrics = OrderedJson::object();  // our names -> json(Estimate)
  std::vector<std::string> order = {};
  int64_t n = 0, total = 0;
  OrderedJson shots = nullptr, version = nullptr;
  std::string type = {}, harness = {};
  std::map<std::string, bool> higher = {};
  fs::path samples = {};  // empty: none
};

Row read_row(const Json& whole, const std::string& task, const fs::path& file) {
  Row out;
  const Json& figures = whole.at("results").at(task);
  if (!figures.is_object()) throw wrong("results." + task + " is no object");
  const Json* counts = member(whole, "n-samples");
  const Json* count = counts ? member(*counts, task) : nullptr;
  out.n = count ? count_at(count, "effective") : count_at(&figures, "sample_len");
  out.total = std::max(out.n, count ? count_at(count, "original") : out.n);
  for (const auto& [key, value] : figures.items()) {
    const size_t comma = key.find(',');
    const std::string name = key.substr(0, comma);
    if (comma == key.npos || name.ends_with("_stderr")) continue;
    if (!value.is_number()) continue;  // "N/A", " "
    Estimate estimate{.value = value.get<double>(), .n = out.n};
    if (!std::isfinite(estimate.value))
      throw wrong("results." + task + "." + key + " is not finite");
    const Json* error = member(figures, name + "_stderr" + key.substr(comma));
    if (error && error->is_number() && error->get<double>() >= 0) {
      estimate.stderr_ = error->get<double>();
      estimate.interval = Interval{estimate.value - 1.96 * *estimate.stderr_,
                                   estimate.value + 1.96 * *estimate.stderr_};
    }
    const std::string ours = our_metric({.name = name, .filter = key.substr(comma + 1)});
    if (!out.metrics.contains(ours)) out.order.push_back(ours);
    out.metrics[ours] = json(estimate);
    const Json* higher = member(whole, "higher_is_better");
    const Json* its = higher ? member(*higher, task) : nullptr;
    const Json* one = its ? member(*its, name) : nullptr;
    out.higher[ours] = !(one && *one == Json(false));
  }
  const auto copy = [&](const char* from) -> OrderedJson {
    const Json* list = member(whole, from);
    const Json* value = list ? member(*list, task) : nullptr;
    return value && value->is_primitive() ? OrderedJson::parse(value->dump()) : OrderedJson();
  };
  out.shots = copy("n-shot");
  out.version = copy("versions");
  out.harness = text_at(whole, "lm_eval_version");
  if (const Json* configs = member(whole, "configs"))
    if (const Json* config = member(*configs, task)) out.type = text_at(*config, "output_type");
  const std::string stem = file.stem().string();  // results_DATE
  const fs::path samples =
      file.parent_path() / ("samples_" + task + stem.substr(stem.find('_')) + ".jsonl");
  if (fs::is_regular_file(samples)) out.samples = samples;
  return out;
}

// A task of ours, made of one of theirs or of one with parts.
struct Imported {
  std::optional<Row> whole = {};  // of a task with parts: the group's row, where there is one
  std::map<std::string, Row> parts = {};
};

struct Model {
  OrderedJson about = OrderedJson::object();
  std::map<std::string, Imported> tasks = {};
};

// Tasks of ours that are groups of theirs: {mmlu, subjects}.
const std::vector<std::pair<std::string, std::vector<std::string>>>& divided_tasks() {
  static const auto tasks = [] {
    std::vector<std::pair<std::string, std::vector<std::string>>> out;
    for (const TaskFile& file : task_files())
      if (const TaskSpec spec = find_task(file.name); !spec.subjects.empty())
        out.emplace_back(spec.name, spec.subjects);
    return out;
  }();
  return tasks;
}

// {task, part} of ours for one of theirs.
std::pair<std::string, std::string> ours(const std::string& theirs) {
  for (const auto& [task, subjects] : divided_tasks())
    for (const auto& subject : subjects)
      if (theirs == task + "_" + lm_eval_part(subject)) return {task, subject};
  return {theirs, ""};
}

std::optional<TaskSpec> known_task(const std::string& name) {
  for (const TaskFile& file : task_files())
    if (file.name == name) return find_task(name);
  return std::nullopt;
}

std::string main_metric_of(const std::string& task, const Row& row) {
  if (const auto spec = known_task(task); spec && row.metrics.contains(spec->main_metric))
    return spec->main_metric;
  for (const char* metric : {"acc_norm", "acc", "exact_match"})
    if (row.metrics.contains(metric)) return metric;
  return row.order.front();
}

class Import {
 public:
  void read(const fs::path& file) {
    in_context([&] { return "in " + file.string(); },
               [&] {
                 if (fs::file_size(file) > kLargestResults) throw wrong("larger than 256 MiB");
                 const Json whole = load_json(file);
                 const Json* results = member(whole, "results");
                 if (!results || !results->is_object())
                   throw wrong("no 'results': not a file of lm-evaluation-harness");
                 Model& model = models_[name_of(whole, file)];
                 model.about["content"] =
                     text_at(member(whole, "config") ? whole["config"] : Json(), "model_sha");
                 model.about["positions"] = count_at(&whole, "max_length");
                 model.about["source"] = text_at(whole, "model_source");
                 for (const auto& [task, figures] : results->items()) {
                   safe_name(task, "a task");
                   if (is_group(whole, task)) {
                     for (const auto& [name, subjects] : divided_tasks())
                       if (name == task) model.tasks[task].whole = read_row(whole, task, file);
                     continue;
                   }
                   Row row = read_row(whole, task, file);
                   if (row.metrics.empty()) continue;
                   const auto [name, part] = ours(task);
                   if (part.empty()) model.tasks[name].whole = std::move(row);
                   else model.tasks[name].parts[part] = std::move(row);
                 }
               });
  }

  LmEvalImported write(const fs::path& dir) {
    make_dirs(dir / "samples");
    LmEvalImported out;
    OrderedJson models = OrderedJson::array(), results = OrderedJson::array();
    for (auto& [name, model] : models_) {
      OrderedJson shown = {{"name", name}};
      shown.update(model.about);
      models.push_back(shown);
      for (const auto& [task, imported] : model.tasks) {
        if (!imported.whole && imported.parts.empty()) continue;
        results.push_back(result(name, task, imported, dir, out));
      }
    }
    out.results = {{"format", 1},
                   {"models", models},
                   {"tasks", OrderedJson::array()},
                   {"results", results},
                   {"settings", {{"imported", "lm-evaluation-harness"}}}};
    for (const auto& [name, task] : tasks_) out.results["tasks"].push_back(task);
    write_file_atomic(dir / "results.json", pretty(out.results));
    return out;
  }

  bool empty() const {
    return std::all_of(models_.begin(), models_.end(),
                       [](const auto& model) { return model.second.tasks.empty(); });
  }
  std::vector<std::string> models() const {
    std::vector<std::string> out;
    for (const auto& [name, model] : models_) out.push_back(name);
    return out;
  }

 private:
  static std::string name_of(const Json& whole, const fs::path& file) {
    std::string name = text_at(whole, "model_name");
    if (const Json* config = member(whole, "config"); name.empty() && config)
      if (const Json* arguments = member(*config, "model_args"))
        name = text_at(*arguments, "pretrained");
    if (name.empty()) name = file.parent_path().filename().string();
    while (name.starts_with('/')) name = name.substr(name.rfind('/') + 1);  // a path: its end
    return safe_name(name.empty() ? "model" : name, "a model");
  }

  static bool is_group(const Json& whole, const std::string& task) {
    const Json* subtasks = member(whole, "group_subtasks");
    const Json* list = subtasks ? member(*subtasks, task) : nullptr;
    return list && list->is_array() && !list->empty();
  }

  OrderedJson result(const std::string& model, const std::string& task, const Imported& imported,
                     const fs::path& dir, LmEvalImported& out) {
    const bool divided = !imported.parts.empty();
    Row whole = imported.whole.value_or(Row{});
    if (divided) {
      whole.n = whole.total = 0;
      for (const auto& [name, part] : imported.parts) {
        whole.n += part.n;
        whole.total += part.total;
        for (const auto& metric : part.order)
          if (std::find(whole.order.begin(), whole.order.end(), metric) == whole.order.end())
            whole.order.push_back(metric);
        whole.shots = part.shots;
        whole.version = part.version;
        whole.type = part.type;
        whole.harness = part.harness;
        whole.higher.insert(part.higher.begin(), part.higher.end());
      }
      for (const auto& metric : whole.order)
        if (!whole.metrics.contains(metric)) whole.metrics[metric] = pooled_over(imported, metric);
    }
    const std::string main = main_metric_of(task, whole);
    note_task(task, whole, main);
    OrderedJson row = {{"model", model},           {"task", task},
                       {"status", "ok"},           {"n", whole.n},
                       {"total", whole.total},     {"unscorable", 0},
                       {"metrics", whole.metrics}, {"at_chance", nullptr}};
    for (const auto& [name, part] : imported.parts)
      row["parts"].push_back({{"name", name},
                              {"status", "ok"},
                              {"n", part.n},
                              {"total", part.total},
                              {"metrics", part.metrics}});
    write_samples(model, task, imported, main, dir, out);
    return row;
  }

  static OrderedJson pooled_over(const Imported& imported, const std::string& metric) {
    std::vector<Estimate> each;
    for (const auto& [name, part] : imported.parts)
      if (part.metrics.contains(metric) && part.n > 0) {
        const auto& figure = part.metrics.at(metric);
        each.push_back({.value = figure.at("value").get<double>(), .n = part.n});
        if (figure.at("stderr").is_number())
          each.back().stderr_ = figure.at("stderr").get<double>();
      }
    return json(pooled(each));
  }

  void note_task(const std::string& name, const Row& row, const std::string& main) {
    const auto spec = known_task(name);
    OrderedJson about = spec ? spec->about : "Imported from lm-evaluation-harness.";
    OrderedJson task = {
        {"name", name},
        {"about", about},
        {"mode", row.type == "generate_until" ? "generate" : row.type},
        {"reproduces",
         {{"protocol", "lm-evaluation-harness"}, {"version", row.harness}, {"task", name}}},
        {"metrics", row.order},
        {"main_metric", main},
        {"higher_is_better", row.higher.contains(main) ? row.higher.at(main) : true},
        {"chance", spec && spec->chance > 0 ? OrderedJson(spec->chance) : OrderedJson()},
        {"items", row.n},
        {"total", row.total},
        {"settings",
         {{"imported", "lm-evaluation-harness"}, {"shots", row.shots}, {"version", row.version}}}};
    const auto [known, fresh] = tasks_.try_emplace(name, task);
    if (!fresh && known->second.at("settings") != task.at("settings"))
      throw wrong("two models were asked '" + name + "' differently: " +
                  compact(known->second.at("settings")) + " and " + compact(task.at("settings")))
          .with_hint("import them into folders of their own");
  }

  static void write_samples(const std::string& model, const std::string& task,
                            const Imported& imported, const std::string& main, const fs::path& dir,
                            LmEvalImported& out) {
    LineWriter writer(dir / "samples" / file_name(task + "." + model + ".jsonl"));
    const auto add = [&](const Row& row, const std::string& prefix) {
      if (row.samples.empty()) return false;
      for (const auto& sample : read_lm_eval_samples(row.samples, prefix, main)) {
        writer.write(compact(sample));
        ++out.items;
      }
      return true;
    };
    bool all = true;
    if (imported.parts.empty()) all = add(*imported.whole, "");
    for (const auto& [name, part] : imported.parts) all = add(part, name + "/") && all;
    writer.commit();
    if (!all) out.without_items.push_back(model + " on " + task);
  }

  std::map<std::string, Model> models_ = {};
  std::map<std::string, OrderedJson> tasks_ = {};
};

bool is_results(const fs::path& file) {
  const std::string name = file.filename().string();
  return name.starts_with("results_") && name.ends_with(".json");
}

}  // namespace

LmEvalImported import_lm_eval(const std::vector<std::string>& from, const fs::path& out) {
  if (fs::exists(out) && !fs::exists(out / "results.json") &&
      !(fs::is_directory(out) && fs::is_empty(out)))
    throw Error(ErrorKind::usage, "'" + out.string() + "' holds something else")
        .with_hint("name a new folder");
  std::vector<fs::path> files;
  for (const auto& place : from) {
    const size_t before = files.size();
    if (fs::is_directory(place)) {
      for (const auto& file : list_files(place))
        if (is_results(file)) files.push_back(file);
    } else if (fs::is_regular_file(place)) {
      files.push_back(place);
    }
    if (files.size() == before)
      throw Error(ErrorKind::not_found, "no results_*.json in '" + place + "'")
          .with_hint("name what lm_eval --output_path wrote");
  }
  std::sort(files.begin(), files.end(), [](const fs::path& a, const fs::path& b) {
    return std::pair(a.filename(), a) < std::pair(b.filename(), b);
  });
  Import import;
  for (const auto& file : files) import.read(file);
  if (import.empty()) throw wrong("none of the files holds a figure");
  StagedDir staged(out);
  LmEvalImported imported = import.write(staged.path());
  imported.files = static_cast<int64_t>(files.size());
  Manifest manifest{.kind = "evaluation",
                    .name = out.filename().empty() ? out.parent_path().filename().string()
                                                   : out.filename().string(),
                    .made_by = "eval import",
                    .version = std::string(version()),
                    .code = code_hash("eval")};
  for (const auto& file : files) manifest.inputs.push_back(describe_input("results", file));
  manifest.facts = {{"models", import.models()}};
  seal_artefact(staged.path(), manifest);
  staged.commit();
  return imported;
}

}  // namespace helio::eval
