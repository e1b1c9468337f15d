// Runs a recipe: only the stages whose inputs, options or code changed.
#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"
#include "cli/stage_kinds.h"
#include "cli/terminal.h"
#include "core/error.h"
#include "core/node.h"
#include "jobs/estimate.h"
#include "jobs/runner.h"

namespace helio::cli {
namespace {

using jobs::StagePlan;

const char* word_of(StagePlan::Status status) {
  switch (status) {
    case StagePlan::Status::up_to_date:
      return "up to date";
    case StagePlan::Status::to_run:
      return "to run";
    case StagePlan::Status::unfinished:
      return "unfinished";
  }
  return "";
}

class Run final : public Command {
 public:
  Card card() const override {
    return {.positional = {"recipe"},
            .required = {"recipe"},
            .examples = {
                "helio run recipes/solar-mini.yaml --dry-run",
                "helio run recipes/solar-mini.yaml --workspace workspace",
                "helio run recipes/solar-mini.yaml --set stages.base.train.lr=1e-3 --until base"}};
  }

  void describe(Fields& f) override {
    f("recipe", recipe_, "The recipe (YAML).");
    f("workspace", workspace_, "Folder for everything the run makes.");
    f("set", set_, "Change a key of the recipe: stages.base.train.lr=1e-3.");
    f("until", until_, "Run only these stages and what they stand on.");
    f("dry_run", dry_run_, "Print the resolved plan, sizes and estimates; run nothing.");
    f("resume", resume_, "Go on with a stage that was interrupted.");
    f("restart", restart_, "Start an interrupted stage over.");
  }

  int run(Context& context) override {
    if (resume_ && restart_)
      throw Error(ErrorKind::usage, "--resume and --restart exclude each other");
    Node over = Node::map({.source = "--set"});
    for (const auto& setting : set_) {
      const size_t equals = setting.find('=');
      if (equals == std::string::npos)
        throw Error(ErrorKind::usage, "--set wants key=value, not '" + setting + "'");
      over.set_path(setting.substr(0, equals), parse_yaml_value(setting.substr(equals + 1)));
    }
    const auto recipe = jobs::load_recipe(recipe_, workspace_, over, stage_kinds());
    const jobs::RunOptions options{.unfinished = resume_    ? jobs::Unfinished::resume
                                                 : restart_ ? jobs::Unfinished::restart
                                                            : jobs::Unfinished::refuse,
                                   .only = until_,
                                   .program = context.program};
    if (dry_run_) return show_plan(context, recipe, options);
    const auto outcome = jobs::run_recipe(recipe, options, context.monitor, context.stop);
    if (context.json) {
      OrderedJson json = {
          {"recipe", recipe.name}, {"seconds", outcome.seconds}, {"stages", OrderedJson::array()}};
      for (const auto& stage : outcome.stages)
        json["stages"].push_back({{"name", stage.name},
                                  {"kind", stage.kind},
                                  {"ran", stage.ran},
                                  {"seconds", stage.seconds},
                                  {"peak_rss", stage.peak_rss},
                                  {"content", stage.content}});
      context.out << compact(json) << "\n";
    } else {
      context.out << fmt::format("{:<14} {:<18} {:>8} {:>9}  {}\n", "stage", "command", "time",
                                 "memory", "");
      for (const auto& stage : outcome.stages)
        context.out << fmt::format("{:<14} {:<18} {:>8} {:>6} MB  {}\n", stage.name, stage.kind,
                                   duration_text(stage.seconds), stage.peak_rss >> 20,
                                   stage.ran ? "" : "up to date");
      context.out << "total " << duration_text(outcome.seconds) << "\n";
    }
    return 0;
  }

 private:
  // The value of --set, typed as the recipe would type it, marked with where it came from.
  static Node parse_yaml_value(const std::string& text) {
    const Node holder = parse_yaml("value: " + text, "--set");
    const Node* value = holder.find("value");
    return value ? *value : Node();
  }

  static int show_plan(Context& context, const jobs::Recipe& recipe,
                       const jobs::RunOptions& options) {
    OrderedJson json = {{"recipe", recipe.name},
                        {"workspace", recipe.workspace.string()},
                        {"stages", OrderedJson::array()}};
    const auto estimates = jobs::estimate_recipe(recipe);
    double seconds = 0;
    std::string unknown;  // stages that train and have no estimate
    for (const auto& plan : jobs::plan_run(recipe, options)) {
      const auto& stage = *plan.stage;
      OrderedJson row = {{"name", stage.name},
                         {"kind", stage.kind},
                         {"status", word_of(plan.status)},
                         {"why", plan.why},
                         {"inputs", OrderedJson::array()},
                         {"outputs", OrderedJson::array()}};
      if (!context.json)
        context.out << fmt::format("{:<12} helio {:<16} {}: {}\n", stage.name, stage.kind,
                                   word_of(plan.status), plan.why);
      for (const auto& input : stage.inputs) {
        row["inputs"].push_back({{"option", input.role}, {"path", input.path.string()}});
        if (!context.json)
          context.out << fmt::format("{:>14} {:<10} {}\n", "reads", input.role,
                                     input.path.string());
      }
      for (const auto& output : stage.outputs) {
        row["outputs"].push_back({{"option", output.role}, {"path", output.path.string()}});
        if (!context.json)
          context.out << fmt::format("{:>14} {:<10} {}\n", "writes", output.role,
                                     output.path.string());
      }
      if (const auto found = estimates.find(stage.name); found != estimates.end()) {
        const auto& e = found->second;
        row["estimate"] = {{"parameters", e.parameters},
                           {"tokens", e.tokens},
                           {"flops", e.flops},
                           {"memory_bytes", e.memory_bytes},
                           {"seconds", e.seconds}};
        seconds += plan.status == StagePlan::Status::up_to_date ? 0 : e.seconds;
        if (!context.json)
          context.out << fmt::format(
              "{:>14} {} parameters, {} tokens, {} FLOPs, about {} MB and {}\n", "estimate",
              count_text(double(e.parameters)), count_text(double(e.tokens)), count_text(e.flops),
              e.memory_bytes >> 20, duration_text(e.seconds));
      } else if (stage.written.contains("train"))
        unknown += (unknown.empty() ? "" : ", ") + stage.name;
      row["options"] = stage.resolved;
      json["stages"].push_back(row);
    }
    if (context.json) context.out << compact(json) << "\n";
    else if (!estimates.empty())
      context.out << fmt::format("training and alignment would take about {} on {} threads{}\n",
                                 duration_text(seconds), jobs::estimate_threads(),
                                 unknown.empty() ? "" : ", without " + unknown);
    else if (!unknown.empty()) context.out << "not estimated yet: " << unknown << "\n";
    return 0;
  }

  std::string recipe_, workspace_ = "workspace";
  std::vector<std::string> set_, until_;
  bool dry_run_ = false, resume_ = false, restart_ = false;
};

}  // namespace
}  // namespace helio::cli

HELIO_COMMAND(helio::cli::Run)
