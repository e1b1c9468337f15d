// Turn lots into a dataset: clean, filter, deduplicate, mask, split; what is dropped is kept aside.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ostream>

#include "cli/command.h"
#include "data/dataverse/dataverse.h"
#include "data/pipeline.h"

namespace helio::cli {
namespace {

class DataRun final : public Command {
 public:
  Card card() const override {
    return {.positional = {"lots"},
            .required = {"steps", "out"},
            .recipe = true,
            .examples = {"helio data run recipes/solar-mini.yaml#stages.corpus --dry-run",
                         "helio data run steps.yaml workspace/lots/lots --out "
                         "workspace/datasets/clean",
                         "helio data run dataverse.yaml --memory 4G"}};
  }

  // Configurations of Dataverse run as they are; docs/dataverse.md says what becomes of them.
  void translate(Node& config) override {
    if (!data::is_dataverse(config)) return;
    const data::DataverseRecipe recipe = data::read_dataverse(config);
    notes_ = recipe.notes;
    config = data::pipeline_config(recipe);
  }

  void describe(Fields& f) override {
    options_.describe(f);
    f("threads", threads_, "Threads; 0 takes one a core. The result is the same for any number.",
      at_least(0));
    f("dry_run", dry_run_, "Print the plan and read no documents.");
  }

  int run(Context& context) override {
    for (const std::string& note : notes_) context.monitor.note(note);
    if (dry_run_) {
      print_plan(context, data::plan_json(options_));
      return 0;
    }
    const auto start = std::chrono::steady_clock::now();
    const data::Account account =
        data::run_pipeline(options_, int(threads_), context.monitor, context.stop);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    const OrderedJson json = account.json();
    context.monitor.note(
        fmt::format("{} of {} documents stay, {} words, in {:.1f} s ({:.1f} MB/s of what came in)",
                    json["out"]["documents"].get<int64_t>(), json["in"]["documents"].get<int64_t>(),
                    json["out"]["words"].get<int64_t>(), seconds.count(),
                    double(json["in"]["bytes"].get<int64_t>()) / 1e6 / seconds.count()));
    if (context.json) context.out << compact(json) << '\n';
    else print_account(context.out, account);
    return 0;
  }

 private:
  static void print_plan(Context& context, const OrderedJson& plan) {
    if (context.json) {
      context.out << compact(plan) << '\n';
      return;
    }
    for (const auto& lot : plan["lots"])
      context.out << fmt::format("lot   {:<26} {:<24} {:<3} {:>8} documents {:>12} bytes\n",
                                 lot["lot"].get<std::string>(), lot["partner"].get<std::string>(),
                                 lot["language"].get<std::string>(),
                                 lot["documents"].get<int64_t>(), lot["bytes"].get<int64_t>());
    for (const auto& input : plan["inputs"])
      context.out << fmt::format("input {:<26} {:<24} {:>8} files {:>16} bytes\n",
                                 input["lot"].get<std::string>(),
                                 input["partner"].get<std::string>(), input["files"].get<int64_t>(),
                                 input["bytes"].get<int64_t>());
    for (const auto& step : plan["steps"])
      context.out << fmt::format("step  {:<26} {}\n", step["step"].get<std::string>(),
                                 step["options"].dump());
    context.out << "out   " << plan["out"].get<std::string>() << '\n';
    for (const auto& one : plan["exports"])
      context.out << fmt::format("file  {:<26} {}\n", one["format"].get<std::string>(),
                                 one["path"].get<std::string>());
  }

  static void print_account(std::ostream& out, const data::Account& account) {
    out << fmt::format("{:<34}{:>9}{:>9}{:>9}  {}\n", "step", "in", "dropped", "changed",
                       "reasons");
    for (const auto& step : account.steps) {
      std::vector<std::pair<int64_t, std::string>> reasons;
      for (const auto& [reason, count] : step.reasons) reasons.emplace_back(count, reason);
      std::sort(reasons.begin(), reasons.end(), [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;
      });
      std::string text;
      for (size_t i = 0; i < std::min<size_t>(reasons.size(), 3); ++i)
        text += fmt::format("{}{} {}", i ? ", " : "", reasons[i].second, reasons[i].first);
      if (reasons.size() > 3) text += ", ...";
      out << fmt::format("{:<34}{:>9}{:>9}{:>9}  {}\n", step.step, step.in, step.dropped,
                         step.changed, text);
    }
    out << fmt::format("\n{:<26}{:>9}{:>11}{:>9}{:>11}\n", "lot", "documents", "words", "stay",
                       "words");
    for (const auto& lot : account.lots)
      out << fmt::format("{:<26}{:>9}{:>11}{:>9}{:>11}\n", lot.info.lot, lot.in.documents,
                         lot.in.words, lot.out.documents, lot.out.words);
    for (const auto& [language, amount] : account.languages)
      out << fmt::format("{:<26}{:>20}{:>9}{:>11}\n", "language " + language, "", amount.documents,
                         amount.words);
    for (const auto& [split, amount] : account.splits)
      out << fmt::format("{:<26}{:>20}{:>9}{:>11}\n", "split " + split, "", amount.documents,
                         amount.words);
  }

  data::PipelineOptions options_;
  std::vector<std::string> notes_ = {};
  int64_t threads_ = 0;
  bool dry_run_ = false;
};

}  // namespace
}  // namespace helio::cli

HELIO_COMMAND(helio::cli::DataRun)
