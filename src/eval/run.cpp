#include "eval/run.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "core/lines.h"
#include "core/manifest.h"
#include "core/options.h"
#include "core/version.h"
#include "eval/chat_setting.h"
#include "eval/endpoint/endpoint_model.h"
#include "eval/endpoint/endpoint_respondent.h"
#include "eval/lm_eval/layout.h"
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
  const std::set<std::string> left_out = {"models",         "adapter_base",  "dataset",
                                          "pairs",          "benchmarks",    "out",
                                          "resume",         "restart",       "dry_run",
                                          "tokenizer",      "parallel",      "timeout",
                                          "retries",        "key_variable",  "judge_key_variable",
                                          "judge_parallel", "judge_timeout", "judge_retries",
                                          "lm_eval_layout"};
  for (const auto& [name, value] : all.items())
    if (!left_out.contains(name)) out[name] = value;
  return out;
}

bool adds_bos(const model::LanguageModel& model) {
  const auto ids = model.tokenizer().encode("a", text::SpecialTokens::add);
  return model.special_ids().bos && !ids.empty() && ids.front() == *model.special_ids().bos;
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

OrderedJson model_json(const std::string& name, const model::LanguageModel& model) {
  OrderedJson out = {
      {"name", name}, {"content", model.content()}, {"positions", model.max_positions()}};
  const auto* endpoint = dynamic_cast<const EndpointModel*>(&model);
  const bool has_tokenizer = !endpoint || endpoint->has_tokenizer();
  const int64_t vocabulary = has_tokenizer ? model.tokenizer().vocab_size() : 0;
  out["vocabulary"] = vocabulary ? OrderedJson(vocabulary) : OrderedJson();
  out["bos_added"] = has_tokenizer ? OrderedJson(adds_bos(model)) : OrderedJson();
  if (endpoint) out["endpoint"] = endpoint->about();
  return out;
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
    if (options.apply_chat_template != "no" &&
        (options.chat_template == "none" || options.profile != "current"))
      throw Error(ErrorKind::usage,
                  "--apply-chat-template is for a chat template and profile current")
          .with_hint("earlier versions of lm-evaluation-harness asked as text");
    for (const auto& model : options.models) {
      if (is_endpoint(model)) split_endpoint(model);
      places_.push_back(is_endpoint(model) ? ModelPlace()
                                           : find_model(model, options.adapter_base));
      if (options.apply_chat_template != "no" && is_endpoint(model))
        throw Error(ErrorKind::usage,
                    "--apply-chat-template is for models on this machine, not '" + model + "'")
            .with_hint("an endpoint writes conversations in its own template, out of sight");
    }
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
                          .chat_template = options_.chat_template,
                          .apply_chat_template = options_.apply_chat_template};
    for (const auto& [spec, shots] : selection_.tasks) {
      Sources its = sources;
      if (its.shots < 0) its.shots = shots;
      tasks_.push_back(make_task(spec, its));
      if (!tasks_.back()->not_run().empty())
        environment_.monitor.note(spec.name + " is not run: " + tasks_.back()->not_run());
      environment_.stop.check();
    }
    if (holds_conversations())
      for (size_t m = 0; m < names_.size(); ++m) {
        if (is_endpoint(options_.models[m])) ChatSetting::of_server(options_.chat_template);
        else check_chat_template(places_[m].model, options_.chat_template);
      }
  }

  bool holds_conversations() const {
    return std::any_of(tasks_.begin(), tasks_.end(), [&](const auto& task) {
      const TaskSpec& spec = task->spec();
      const bool applied = options_.apply_chat_template != "no" && spec.needs == "benchmarks";
      return (spec.mode == "conversation" || applied) && task->not_run().empty();
    });
  }

  void score_models(Journal& journal, const fs::path& dir) {
    int64_t all = 0, done = 0;
    for (const auto& task : tasks_) all += cost_of(*task);
    environment_.monitor.begin("evaluating", all * static_cast<int64_t>(names_.size()), "bytes");
    for (size_t m = 0; m < names_.size(); ++m) {
      const auto model = load(m);
      auto* const endpoint = dynamic_cast<EndpointModel*>(model.get());
      std::unique_ptr<EndpointRespondent> remote;
      std::unique_ptr<Respondent> local;  // made when something is answered in words
      std::optional<LmEvalLayout> layout;
      if (options_.lm_eval_layout)
        layout.emplace(dir / "lm-eval", names_[m], seconds_now(), recorded_options(options_));
      if (endpoint)
        remote = std::make_unique<EndpointRespondent>(
            endpoint_options(options_.models[m], options_.endpoint), options_.endpoint.parallel,
            [this] { return environment_.stop.raised(); });
      const ScoringOptions scoring{.batch_tokens = options_.batch_tokens,
                                   .threads = options_.threads,
                                   .settings = model->content() + " " + options_.dtype + " " +
                                               std::to_string(options_.batch_tokens) + " " +
                                               std::to_string(options_.threads) + " " +
                                               code_hash("model") + "\n"};
      const ChatSetting chat = !holds_conversations() ? ChatSetting()
                               : endpoint
                                   ? ChatSetting::of_server(options_.chat_template)
                                   : ChatSetting(places_[m].model, options_.chat_template, *model);
      for (const auto& task : tasks_) {
        if (options_.apply_chat_template != "no" && task->spec().needs == "benchmarks")
          task->write_in(chat.format());
        const std::string refused = refusal(*task, *model, endpoint);
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
                       if (layout) layout->add(*task, scored, results_.back());
                       return;
                     }
                     // The first of them may take minutes.
                     environment_.monitor.note(names_[m] + " answers " + task->spec().name +
                                               ", items: " + std::to_string(task->items()));
                     if (!local && !remote)
                       local = environment_.respond(*model, places_[m].model, chat.format());
                     const WordsRun run{
                         .options = options_,
                         .respondent = remote ? *remote : *local,
                         .journal = journal,
                         .answering = {.settings = scoring.settings, .chat_template = chat.hash()},
                         .kept = journal_folder(options_.out),
                         .out = dir,
                         .stop = environment_.stop};
                     auto words = run_in_words(*task, names_[m], run, told);
                     results_.push_back(std::move(words.result));
                     write_samples(dir, *task, words.scored, names_[m]);
                     if (layout && results_.back().at("status") == "ok")
                       layout->add(*task, words.scored, results_.back());
                   });
      }
      models_.push_back(model_json(names_[m], *model));
      if (!places_[m].adapter.empty())
        models_.back()["adapter_base"] = without_slash(places_[m].model).filename().string();
      models_.back()["chat_template"] = chat.json();
      if (layout) {
        layout->write(models_.back());
        dated_.insert(dated_.end(), layout->files().begin(), layout->files().end());
      }
      if (endpoint) tell_of(names_[m], *endpoint, *remote);
    }
    environment_.monitor.end();
  }

  void tell_of(const std::string& name, const EndpointModel& model,
               const EndpointRespondent& respondent) {
    if (respondent.prompts_as_chat()) models_.back()["endpoint"]["prompts"] = "as chat";
    if (const int64_t again = model.retries() + respondent.retries(); again)
      environment_.monitor.note(name + ": " + std::to_string(again) + " requests were made again");
  }

  // Why the model is not asked, or empty.
  static std::string refusal(const Task& task, const model::LanguageModel& model,
                             EndpointModel* endpoint) {
    if (!task.not_run().empty()) return task.not_run();
    if (endpoint && !task.in_words() && !endpoint->refuses_scoring().empty())
      return endpoint->refuses_scoring();
    return task.refuses(model);
  }

  std::unique_ptr<model::LanguageModel> load(size_t m) {
    if (!is_endpoint(options_.models[m])) return environment_.load(places_[m], hashes_);
    return std::make_unique<EndpointModel>(options_.models[m], options_.endpoint,
                                           [this] { return environment_.stop.raised(); });
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

  void seal(const fs::path& dir) {
    Manifest manifest{.kind = "evaluation",
                      .name = without_slash(options_.out).filename().string(),
                      .made_by = "eval run",
                      .version = std::string(version()),
                      .code = code_hash("eval"),
                      .options = recorded_options(options_)};
    for (size_t m = 0; m < names_.size(); ++m) {
      if (is_endpoint(options_.models[m]))
        manifest.inputs.push_back(
            {.role = "models", .kind = "endpoint", .content = models_[m].at("content")});
      else manifest.inputs.push_back(describe_input("models", options_.models[m], hashes_));
      manifest.inputs.back().name = names_[m];
      if (!places_[m].adapter.empty())
        manifest.inputs.push_back(describe_input("adapter_base", places_[m].model, hashes_));
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
    seal_artefact(dir, manifest, dated_);
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
  std::vector<ModelPlace> places_ = {};  // by model; empty: an endpoint
  FileHashes hashes_ = {};
  Selection selection_ = {};
  std::vector<std::unique_ptr<Task>> tasks_ = {};
  OrderedJson models_ = OrderedJson::array(), results_ = OrderedJson::array();
  std::vector<std::string> dated_ = {};  // files that hold clock times
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
    const auto add = [&](const fs::path& from) {
      for (const auto& component : from.lexically_normal())
        if (const auto text = component.string(); !text.empty() && text != "/" && text != ".")
          components.push_back(text);
    };
    size_t below = 1;
    if (is_endpoint(path)) {  // the name whole; then what is before it
      const auto [url, name] = split_endpoint(path);
      add(url.substr(url.find("://") + 3));
      const size_t before = components.size();
      add(name);
      below = std::max<size_t>(1, components.size() - before);
    } else {
      add(path);
      if (components.empty()) components.push_back("model");
      for (size_t i = 0; i + 1 < components.size(); ++i)
        if (components[i] == "models") below = components.size() - 1 - i;
    }
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
