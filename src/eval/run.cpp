#include "eval/run.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "core/lines.h"
#include "core/manifest.h"
#include "core/options.h"
#include "core/version.h"
#include "eval/chat_setting.h"
#include "eval/results.h"
#include "eval/scoring.h"
#include "eval/task_selection.h"
#include "eval/words_run.h"

namespace helio::eval {
namespace {

fs::path without_slash(fs::path path) {
  return path.filename().empty() ? path.parent_path() : path;
}

// The folder beside `out` that holds the journal while the evaluation runs.
fs::path journal_folder(const fs::path& out) {
  const fs::path clean = without_slash(out);
  return clean.parent_path() / (".helio-eval-" + clean.filename().string());
}

// Options that say what was measured; where it came from is in the inputs.
OrderedJson recorded_options(EvalOptions options) {
  OrderedJson all = options_json(describe(options)), out = OrderedJson::object();
  const std::set<std::string> left_out = {"models",         "dataset",       "pairs",
                                          "benchmarks",     "out",           "resume",
                                          "restart",        "dry_run",       "judge_key_variable",
                                          "judge_parallel", "judge_timeout", "judge_retries"};
  for (const auto& [name, value] : all.items())
    if (!left_out.contains(name)) out[name] = value;
  return out;
}

bool adds_bos(const model::LanguageModel& model) {
  const auto ids = model.tokenizer().encode("a", text::SpecialTokens::add);
  return model.special_ids().bos && !ids.empty() && ids.front() == *model.special_ids().bos;
}

class Evaluation {
 public:
  Evaluation(const EvalOptions& options, const EvalEnvironment& environment)
      : options_(options), environment_(environment), names_(display_names(options.models)) {
    if (options.models.empty())
      throw Error(ErrorKind::usage, "no model to score")
          .with_hint("name one or more model folders");
    if (options.tasks.empty())
      throw Error(ErrorKind::usage, "no task to score").with_hint("`helio eval list` shows them");
    if (options.resume && options.restart)
      throw Error(ErrorKind::usage, "--resume and --restart exclude each other");
    for (const auto& path : options.models)
      if (!fs::is_directory(path))
        throw Error(ErrorKind::not_found, "no model folder '" + path + "'");
    selection_ = select_tasks(options.tasks);
    for (const auto& task : selection_.tasks) with_profile(task.spec, options.profile);
  }

  OrderedJson run() {
    if (options_.dry_run) {
      make_tasks();
      for (const auto& name : names_)
        for (const auto& task : tasks_)
          results_.push_back(unscored_json(
              *task, name, task->not_run().empty() ? "planned" : "not_run", task->not_run()));
      return whole();
    }
    if (options_.out.empty())
      throw Error(ErrorKind::usage, "where should the results go?").with_hint("--out FOLDER");
    const fs::path kept = journal_folder(options_.out);
    if (fs::exists(kept) && !options_.resume && !options_.restart)
      throw Error(ErrorKind::usage, "an evaluation into '" + options_.out + "' was interrupted")
          .with_hint("--resume goes on with it, --restart starts over");
    make_tasks();
    if (options_.restart) fs::remove_all(kept);
    {
      StagedDir staged(options_.out);
      make_dirs(staged.path() / "samples");
      Journal journal(kept / "scores.jsonl");
      score_models(journal, staged.path());
      const OrderedJson all = whole();
      write_file_atomic(staged.path() / "results.json", pretty(all));
      seal(staged.path());
      staged.commit();
    }
    std::error_code ignored;
    fs::remove_all(kept, ignored);
    return whole();
  }

 private:
  void make_tasks() {
    const Sources sources{.benchmarks = options_.benchmarks,
                          .dataset = options_.dataset,
                          .pairs = options_.pairs,
                          .profile = options_.profile,
                          .heldout = options_.heldout,
                          .limit = options_.limit,
                          .limit_per_subject = options_.limit_per_subject,
                          .shots = options_.shots,
                          .seed = options_.seed,
                          .chat_template = options_.chat_template};
    for (const auto& [spec, shots] : selection_.tasks) {
      Sources its = sources;
      if (its.shots < 0) its.shots = shots;
      tasks_.push_back(make_task(spec, its));
      if (!tasks_.back()->not_run().empty())
        environment_.monitor.note(spec.name + " is not run: " + tasks_.back()->not_run());
      environment_.stop.check();
    }
    if (holds_conversations())
      for (const auto& model : options_.models) check_chat_template(model, options_.chat_template);
  }

  bool holds_conversations() const {
    return std::any_of(tasks_.begin(), tasks_.end(), [](const auto& task) {
      return task->spec().mode == "conversation" && task->not_run().empty();
    });
  }

  void score_models(Journal& journal, const fs::path& dir) {
    int64_t all = 0, done = 0;
    for (const auto& task : tasks_) all += cost_of(*task);
    environment_.monitor.begin("evaluating", all * static_cast<int64_t>(names_.size()), "bytes");
    for (size_t m = 0; m < names_.size(); ++m) {
      const auto model = environment_.load(options_.models[m]);
      models_.push_back({{"name", names_[m]},
                         {"content", model->content()},
                         {"positions", model->max_positions()},
                         {"vocabulary", model->tokenizer().vocab_size()},
                         {"bos_added", adds_bos(*model)}});
      const ScoringOptions scoring{.batch_tokens = options_.batch_tokens,
                                   .threads = options_.threads,
                                   .settings = model->content() + " " + options_.dtype + " " +
                                               std::to_string(options_.batch_tokens) + " " +
                                               std::to_string(options_.threads) + " " +
                                               code_hash("model") + "\n"};
      const ChatSetting chat = holds_conversations()
                                   ? ChatSetting(options_.models[m], options_.chat_template, *model)
                                   : ChatSetting();
      models_.back()["chat_template"] = chat.json();
      std::unique_ptr<Respondent> respondent;  // made when something is answered in words
      for (const auto& task : tasks_) {
        const std::string refused =
            task->not_run().empty() ? task->refuses(*model) : task->not_run();
        if (!refused.empty()) {
          results_.push_back(unscored_json(*task, names_[m], "not_run", refused));
          done += cost_of(*task);
          continue;
        }
        in_context([&] { return "while scoring " + names_[m] + " on " + task->spec().name; },
                   [&] {
                     const auto told = [&](int64_t more) {
                       done += more;
                       environment_.monitor.at(done, names_[m] + " · " + task->spec().name);
                       environment_.stop.check();
                     };
                     if (!task->in_words()) {
                       const auto scored = score_task(*task, *model, journal, scoring, told);
                       results_.push_back(result_json(*task, scored, names_[m]));
                       write_samples(dir, *task, scored, names_[m]);
                       return;
                     }
                     if (!respondent)
                       respondent = environment_.respond(*model, options_.models[m], chat.format());
                     const WordsRun run{
                         .options = options_,
                         .respondent = *respondent,
                         .journal = journal,
                         .answering = {.settings = scoring.settings, .chat_template = chat.hash()},
                         .kept = journal_folder(options_.out),
                         .out = dir,
                         .stop = environment_.stop};
                     auto words = run_in_words(*task, names_[m], run, told);
                     results_.push_back(std::move(words.result));
                     write_samples(dir, *task, words.scored, names_[m]);
                   });
      }
    }
    environment_.monitor.end();
  }

  static int64_t cost_of(const Task& task) {
    int64_t all = 0;
    for (int64_t i = 0; i < task.items(); ++i) all += task.cost(i);
    return all;
  }

  static void write_samples(const fs::path& dir, const Task& task, const ScoredTask& scored,
                            std::string model) {
    std::replace(model.begin(), model.end(), '/', '.');
    LineWriter writer(dir / "samples" / (task.spec().name + "." + model + ".jsonl"));
    for (size_t i = 0; i < scored.items.size(); ++i)
      writer.write(compact(
          scored.asked[i]
              ? scored.items[i].sample
              : OrderedJson{{"doc", task.item_id(static_cast<int64_t>(i))}, {"unscorable", true}}));
    writer.commit();
  }

  OrderedJson whole() const {
    OrderedJson out = {{"format", 1},
                       {"models", models_},
                       {"tasks", OrderedJson::array()},
                       {"results", results_},
                       {"settings", recorded_options(options_)}};
    if (models_.empty())
      for (const auto& name : names_) out["models"].push_back({{"name", name}});
    out["settings"]["bos_policy"] =
        find_profile(options_.profile).special == text::SpecialTokens::add ? "as the tokenizer does"
                                                                           : "none";
    for (const auto& task : tasks_) out["tasks"].push_back(task_json(*task));
    if (!selection_.groups.empty()) out["groups"] = OrderedJson::array();
    for (const auto& model : out["models"])
      for (const auto& group : selection_.groups)
        out["groups"].push_back(group_json(group, out["tasks"], results_, model.at("name")));
    return out;
  }

  void seal(const fs::path& dir) const {
    Manifest manifest{.kind = "evaluation",
                      .name = without_slash(options_.out).filename().string(),
                      .made_by = "eval run",
                      .version = std::string(version()),
                      .code = code_hash("eval"),
                      .options = recorded_options(options_)};
    for (size_t m = 0; m < names_.size(); ++m) {
      manifest.inputs.push_back(describe_input("models", options_.models[m]));
      manifest.inputs.back().name = names_[m];
    }
    if (!options_.dataset.empty())
      manifest.inputs.push_back(describe_input("dataset", options_.dataset));
    if (!options_.pairs.empty()) manifest.inputs.push_back(describe_input("pairs", options_.pairs));
    if (!options_.benchmarks.empty()) manifest.inputs.push_back(benchmarks_input());
    OrderedJson scores = OrderedJson::object();
    for (const auto& result : results_)
      if (result.at("status") == "ok")
        for (const auto& task : tasks_)
          if (task->spec().name == result.at("task"))
            scores[result.at("model").get<std::string>()][task->spec().name] =
                result.at("metrics").at(task->spec().main_metric).at("value");
    manifest.facts = {{"models", names_}, {"scores", scores}};
    seal_artefact(dir, manifest);
  }

  // The files that were read, not the whole folder, which may hold much else.
  ArtefactInput benchmarks_input() const {
    Sha256Stream stream;
    for (const auto& task : tasks_)
      if (task->spec().needs == "benchmarks" && task->settings().contains("data"))
        stream.update(task->spec().name + " " + task->settings().at("data").get<std::string>() +
                      "\n");
    return {.role = "benchmarks",
            .kind = "folder",
            .name = without_slash(options_.benchmarks).filename().string(),
            .content = stream.hex()};
  }

  const EvalOptions& options_;
  const EvalEnvironment& environment_;
  std::vector<std::string> names_;
  Selection selection_ = {};
  std::vector<std::unique_ptr<Task>> tasks_ = {};
  OrderedJson models_ = OrderedJson::array(), results_ = OrderedJson::array();
};

}  // namespace

OrderedJson run_evaluation(const EvalOptions& options, const EvalEnvironment& environment) {
  return Evaluation(options, environment).run();
}

std::vector<std::string> display_names(const std::vector<std::string>& paths) {
  std::vector<std::vector<std::string>> parts;
  std::vector<size_t> used;  // components of each name
  for (const auto& path : paths) {
    std::vector<std::string> components;
    for (const auto& component : fs::path(path).lexically_normal())
      if (const auto text = component.string(); !text.empty() && text != "/" && text != ".")
        components.push_back(text);
    if (components.empty()) components.push_back("model");
    size_t below = 1;
    for (size_t i = 0; i + 1 < components.size(); ++i)
      if (components[i] == "models") below = components.size() - 1 - i;
    used.push_back(below);
    parts.push_back(std::move(components));
  }
  const auto name = [&](size_t i) {
    std::string out;
    for (size_t c = parts[i].size() - used[i]; c < parts[i].size(); ++c)
      out += (out.empty() ? "" : "/") + parts[i][c];
    return out;
  };
  std::vector<std::string> out;
  for (bool equal = true; equal;) {
    equal = false;
    out.clear();
    for (size_t i = 0; i < parts.size(); ++i) out.push_back(name(i));
    for (size_t i = 0; i < parts.size(); ++i)
      if (std::count(out.begin(), out.end(), out[i]) > 1) {
        if (used[i] == parts[i].size())
          throw Error(ErrorKind::usage, "two models are called '" + out[i] + "'")
              .with_hint("name each model once");
        equal = true;
        ++used[i];
      }
  }
  return out;
}

}  // namespace helio::eval
