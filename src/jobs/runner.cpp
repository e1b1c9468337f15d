#include "jobs/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "core/error.h"
#include "core/hash.h"
#include "core/manifest.h"
#include "core/version.h"
#include "eval/endpoint/endpoint_client.h"
#include "eval/endpoint/endpoint_identity.h"
#include "jobs/process.h"

namespace helio::jobs {
namespace {

// What is known of a stage's last run: state/<stage>.json.
struct State {
  std::string status = {};  // "running", "done"
  std::string key = {}, content = {}, code = {};
  OrderedJson written = {}, inputs = {};
  double seconds = 0;
  int64_t peak_rss = 0;
};

fs::path state_file(const Recipe& recipe, const Stage& stage, const char* ending) {
  return recipe.workspace / "state" / (stage.name + ending);
}

State load_state(const Recipe& recipe, const Stage& stage) {
  State state;
  const auto path = state_file(recipe, stage, ".json");
  if (!fs::exists(path)) return state;
  const Json json = Json::parse(read_file(path), nullptr, false);
  if (json.is_discarded() || !json.is_object()) return state;  // a damaged record: run again
  state.status = json.value("status", "");
  state.key = json.value("key", "");
  state.content = json.value("content", "");
  state.code = json.value("code", "");
  state.seconds = json.value("seconds", 0.0);
  state.peak_rss = json.value("peak_rss", int64_t(0));
  if (json.contains("written")) state.written = OrderedJson::parse(json.at("written").dump());
  if (json.contains("inputs")) state.inputs = OrderedJson::parse(json.at("inputs").dump());
  return state;
}

void save_state(const Recipe& recipe, const Stage& stage, const State& state) {
  const OrderedJson json = {{"stage", stage.name},      {"kind", stage.kind},
                            {"status", state.status},   {"key", state.key},
                            {"content", state.content}, {"code", state.code},
                            {"seconds", state.seconds}, {"peak_rss", state.peak_rss},
                            {"inputs", state.inputs},   {"written", state.written}};
  write_file_atomic(state_file(recipe, stage, ".json"), pretty(json));
}

// Content of a finished stage's first output, or empty when it is not whole: every file must be
// there with its size. (Bytes are hashed by `helio verify`, not at each start.)
std::string finished_content(const Stage& stage) {
  const auto& dir = stage.outputs.front().path;
  if (!has_manifest(dir)) return {};
  const Manifest manifest = load_manifest(dir);
  for (const auto& file : manifest.files) {
    std::error_code problem;
    if (fs::file_size(dir / file.path, problem) != file.size || problem) return {};
  }
  return manifest.content;
}

bool is_served(const StageInput& input) { return eval::is_endpoint(input.path.string()); }

// Of a served model: its address, and what its server says now. One that does not answer counts as
// what it was when the stage last ran, so that a finished stage does not need it.
std::string served_content(const Stage& stage, const StageInput& input, const State& old) {
  const std::string address = input.path.string();
  const std::string key_variable = stage.resolved.value("key_variable", "OPENAI_API_KEY");
  if (const auto content = eval::look_at_endpoint(address, key_variable))
    return address + " " + *content;
  const std::string known = old.inputs.is_object()
                                ? old.inputs.value(input.role + ": " + input.given, std::string())
                                : std::string();
  return known.starts_with(address + " ") ? known : address + " unknown";
}

OrderedJson input_contents(const Recipe& recipe, const Stage& stage, const State& old) {
  OrderedJson contents = OrderedJson::object();
  for (const auto& input : stage.inputs) {
    std::string content;
    // Telemetry of a run (runs/x) has clock times in it: what it stands for is its stage's result.
    if (is_served(input)) content = served_content(stage, input, old);
    else if (input.stage >= 0 && !has_manifest(input.path))
      content = finished_content(recipe.stages[static_cast<size_t>(input.stage)]);
    else
      content = in_context(
          [&] { return "looking at '" + input.role + "' of stage '" + stage.name + "'"; },
          [&] { return describe_input(input.role, input.path).content; });
    contents[input.role + ": " + input.given] = content;
  }
  return contents;
}

std::string key_of(const Stage& stage, const OrderedJson& inputs, const std::string& code) {
  const OrderedJson json = {
      {"kind", stage.kind}, {"options", stage.written}, {"inputs", inputs}, {"code", code}};
  return sha256_hex(compact(json));
}

// The first option that differs, by dotted path.
std::string first_difference(const OrderedJson& was, const OrderedJson& is,
                             const std::string& path) {
  if (was == is) return {};
  if (was.is_object() && is.is_object()) {
    for (const auto& [key, value] : is.items()) {
      const auto old = was.find(key);
      const std::string found = first_difference(old == was.end() ? OrderedJson() : *old, value,
                                                 path.empty() ? key : path + "." + key);
      if (!found.empty()) return found;
    }
    for (const auto& [key, value] : was.items())
      if (!is.contains(key)) return path.empty() ? key : path + "." + key;
    return path;
  }
  return path;
}

std::string why_changed(const State& old, const Stage& stage, const OrderedJson& inputs,
                        const std::string& code) {
  if (old.status.empty()) return "never run";
  const std::string option = first_difference(old.written, stage.written, "");
  if (!option.empty()) return "option " + option + " changed";
  for (const auto& [name, content] : inputs.items())
    if (!old.inputs.contains(name) || old.inputs.at(name) != content)
      return "input " + name + " changed";
  if (old.code != code) return "its code changed";
  return "its result is missing or damaged";
}

std::vector<std::string> command_line(const Recipe& recipe, const Stage& stage,
                                      const RunOptions& options) {
  std::vector<std::string> argv = {options.program};
  for (size_t begin = 0; begin <= stage.kind.size();) {
    const size_t end = std::min(stage.kind.find(' ', begin), stage.kind.size());
    argv.push_back(stage.kind.substr(begin, end - begin));
    begin = end + 1;
  }
  argv.insert(argv.end(), {"--config", state_file(recipe, stage, ".yaml").string()});
  if (stage.can_resume)
    argv.push_back(options.unfinished == Unfinished::restart ? "--restart" : "--resume");
  return argv;
}

ErrorKind kind_of_exit(int code) {
  switch (code) {
    case 2:
      return ErrorKind::usage;
    case 3:
      return ErrorKind::invalid;
    case 4:
      return ErrorKind::not_found;
    case 5:
      return ErrorKind::check;
    case 6:
      return ErrorKind::memory;
    case 75:
    case 130:
    case 143:
      return ErrorKind::interrupted;
    default:
      return ErrorKind::failed;
  }
}

bool wanted(const Recipe& recipe, const Stage& stage, const RunOptions& options) {
  if (options.only.empty()) return true;
  // A stage is wanted when it is named or something named stands on it.
  const auto index = static_cast<int>(&stage - recipe.stages.data());
  std::vector<int> open;
  for (const auto& name : options.only) {
    const Stage* target = recipe.find(name);
    if (!target)
      throw Error(ErrorKind::not_found, "no stage '" + name + "' in " + recipe.file.string());
    open.push_back(static_cast<int>(target - recipe.stages.data()));
  }
  while (!open.empty()) {
    const int at = open.back();
    open.pop_back();
    if (at == index) return true;
    for (const auto& input : recipe.stages[static_cast<size_t>(at)].inputs)
      if (input.stage >= 0) open.push_back(input.stage);
  }
  return false;
}

// We hold the workspace: temporaries of dead processes in it are nobody's.
void clear_litter(const Recipe& recipe) {
  remove_stale_temporaries(recipe.workspace / "state");
  for (const auto& stage : recipe.stages)
    for (const auto& output : stage.outputs) {
      remove_stale_temporaries(output.path.parent_path());
      if (!fs::is_directory(output.path)) continue;
      remove_stale_temporaries(output.path);
      std::vector<fs::path> folders;
      for (const auto& entry : fs::recursive_directory_iterator(output.path))
        if (entry.is_directory()) folders.push_back(entry.path());
      for (const auto& folder : folders) remove_stale_temporaries(folder);
    }
}

// The recipe's name and order, for readers of the workspace who do not have the recipe
// (the report). No stage can have a name that begins with a dot.
void save_recipe(const Recipe& recipe) {
  OrderedJson json = {
      {"name", recipe.name}, {"about", recipe.about}, {"stages", OrderedJson::array()}};
  for (const Stage& stage : recipe.stages)
    json["stages"].push_back({{"name", stage.name}, {"kind", stage.kind}});
  write_file_atomic(recipe.workspace / "state" / ".recipe.json", pretty(json));
}

void write_options(const Recipe& recipe, const Stage& stage) {
  // JSON is YAML: the stage reads it back with the same typed reader.
  write_file_atomic(state_file(recipe, stage, ".yaml"), pretty(stage.resolved));
}

}  // namespace

std::vector<StagePlan> plan_run(const Recipe& recipe, const RunOptions& options) {
  std::vector<StagePlan> plans;
  std::vector<bool> will_change(recipe.stages.size());
  for (size_t i = 0; i < recipe.stages.size(); ++i) {
    const Stage& stage = recipe.stages[i];
    if (!wanted(recipe, stage, options)) continue;
    StagePlan plan{.stage = &stage};
    const auto upstream =
        std::find_if(stage.inputs.begin(), stage.inputs.end(), [&](const auto& input) {
          return input.stage >= 0 && will_change[static_cast<size_t>(input.stage)];
        });
    const State old = load_state(recipe, stage);
    const auto missing =
        std::find_if(stage.inputs.begin(), stage.inputs.end(), [](const auto& input) {
          return input.stage < 0 && !is_served(input) && !fs::exists(input.path);
        });
    if (missing != stage.inputs.end()) {
      plan.why = "'" + missing->path.string() + "' is not here yet";
    } else if (upstream != stage.inputs.end()) {
      plan.why =
          old.status.empty()
              ? "never run"
              : "stage " + recipe.stages[static_cast<size_t>(upstream->stage)].name + " runs";
    } else {
      const OrderedJson inputs = input_contents(recipe, stage, old);
      const std::string code = code_hash(stage.module);
      const std::string key = key_of(stage, inputs, code);
      if (old.key == key && old.status == "done" && old.content == finished_content(stage)) {
        plan.status = StagePlan::Status::up_to_date;
        plan.why = "nothing changed";
      } else if (old.key == key && old.status == "running") {
        plan.status = StagePlan::Status::unfinished;
        plan.why = "it was interrupted";
      } else {
        plan.why = why_changed(old, stage, inputs, code);
      }
    }
    will_change[i] = plan.status != StagePlan::Status::up_to_date;
    plans.push_back(plan);
  }
  return plans;
}

RunOutcome run_recipe(const Recipe& recipe, const RunOptions& options, Monitor& monitor,
                      const StopRequest& stop) {
  const auto started = std::chrono::steady_clock::now();
  const WorkspaceLock lock(recipe.workspace / "state" / "lock");
  clear_litter(recipe);
  save_recipe(recipe);
  RunOutcome outcome;
  size_t number = 0;
  for (const Stage& stage : recipe.stages) {
    if (!wanted(recipe, stage, options)) continue;
    ++number;
    State state = load_state(recipe, stage);
    const OrderedJson inputs = input_contents(recipe, stage, state);
    const std::string code = code_hash(stage.module);
    const std::string key = key_of(stage, inputs, code);
    const std::string label = fmt::format("[{}/{}] {}", number, recipe.stages.size(), stage.name);
    if (state.key == key && state.status == "done" && !state.content.empty() &&
        state.content == finished_content(stage)) {
      monitor.note(label + ": up to date");
      outcome.stages.push_back({.name = stage.name,
                                .kind = stage.kind,
                                .ran = false,
                                .seconds = state.seconds,
                                .peak_rss = state.peak_rss,
                                .content = state.content});
      continue;
    }
    const bool unfinished = state.key == key && state.status == "running";
    if (unfinished && options.unfinished == Unfinished::refuse)
      throw Error(ErrorKind::failed, "stage '" + stage.name + "' was interrupted earlier")
          .with_hint("go on with:  helio run " + recipe.file.string() + " --workspace " +
                     recipe.workspace.string() + " --resume   (or start it over with --restart)");
    monitor.note(label + ": helio " + stage.kind + " (" +
                 (unfinished ? "resumed" : why_changed(state, stage, inputs, code)) + ")");
    write_options(recipe, stage);
    state = {.status = "running",
             .key = key,
             .content = {},
             .code = code,
             .written = stage.written,
             .inputs = inputs,
             .seconds = unfinished ? state.seconds : 0};
    save_state(recipe, stage, state);
    const ProcessResult result = run_process(command_line(recipe, stage, options),
                                             state_file(recipe, stage, ".stdout"), stop);
    state.seconds += result.seconds;
    state.peak_rss = result.peak_rss;
    if (result.exit_code != 0) {
      save_state(recipe, stage, state);
      throw Error(kind_of_exit(result.exit_code),
                  fmt::format("stage '{}' ended with exit code {}", stage.name, result.exit_code))
          .with_hint(result.exit_code == 75 || stop.raised()
                         ? "go on with:  helio run " + recipe.file.string() + " --workspace " +
                               recipe.workspace.string() + " --resume"
                         : "its message stands above; run it alone with:  helio " + stage.kind +
                               " --config " + state_file(recipe, stage, ".yaml").string());
    }
    state.content = finished_content(stage);
    if (state.content.empty())
      throw Error(ErrorKind::internal, "stage '" + stage.name +
                                           "' ended well but left no whole artefact at " +
                                           stage.outputs.front().path.string());
    state.status = "done";
    save_state(recipe, stage, state);
    outcome.stages.push_back({.name = stage.name,
                              .kind = stage.kind,
                              .ran = true,
                              .seconds = state.seconds,
                              .peak_rss = state.peak_rss,
                              .content = state.content});
    if (stop.raised())
      throw Error(ErrorKind::interrupted, "stopped after stage '" + stage.name + "'")
          .with_hint("go on with:  helio run " + recipe.file.string() + " --resume");
  }
  outcome.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  return outcome;
}

}  // namespace helio::jobs
