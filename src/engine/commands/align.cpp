// Align a model with preference pairs: DPO, or sDPO when in several steps.
#include "train/align.h"

#include <fmt/format.h>

#include <ostream>

#include "engine/align_run.h"
#include "engine/training_output.h"

namespace helio::engine {
namespace {

// "12 of 30 (40.0 %, 95 % interval 24.6 to 57.7)"
std::string share(const OrderedJson& accuracy) {
  if (accuracy.at("of").get<int64_t>() == 0) return "—";
  return fmt::format(
      "{} of {} ({:.1f} %, 95 % interval {:.1f} to {:.1f})", accuracy.at("correct").get<int64_t>(),
      accuracy.at("of").get<int64_t>(), 100 * accuracy.at("share").get<double>(),
      100 * accuracy.at("low").get<double>(), 100 * accuracy.at("high").get<double>());
}

class AlignCommand final : public cli::Command {
 public:
  cli::Card card() const override {
    return {.positional = {"model", "data"},
            .required = {"model", "data", "out"},
            .examples = {"helio align workspace/models/sft dpo_en_demo.json --steps 2 --out "
                         "workspace/models/aligned",
                         "helio align workspace/models/sft pairs.jsonl --loss ipo --out "
                         "workspace/models/ipo --dry-run"}};
  }

  void describe(Fields& f) override {
    options_.describe(f);
    f("dry_run", dry_run_, "Print the plan with its estimates and write nothing.");
  }

  int run(cli::Context& context) override {
    return stoppable([&] {
      train::AlignRun run = make_align_run(options_, context.monitor);
      if (dry_run_) print_plan(context, run.plan());
      else print_steps(context, run.run(context.monitor, context.stop));
      return 0;
    });
  }

 private:
  void print_steps(cli::Context& context, const OrderedJson& facts) const {
    if (facts.is_null()) return;  // another process has them
    if (context.json) {
      context.out << compact({{"out", options_.out}, {"facts", facts}}) << "\n";
      return;
    }
    for (const auto& step : facts.at("steps"))
      context.out << fmt::format(
          "step {}: {} pairs against {}: margin {:.4f} to {:.4f}; held out: margin {:.4f}, chosen "
          "preferred in {}\n",
          step.at("sdpo_step").get<int64_t>(), step.at("pairs").get<int64_t>(),
          step.at("reference").get<std::string>(),
          step.at("chunk").at("rewards_before").at("margin").get<double>(),
          step.at("chunk").at("rewards_after").at("margin").get<double>(),
          step.at("heldout").at("rewards_after").at("margin").get<double>(),
          share(step.at("heldout").at("rewards_after").at("accuracy")));
    context.out << "Models: " << options_.out << "/step-1 ...\n";
  }

  train::AlignOptions options_ = {};
  bool dry_run_ = false;
};

}  // namespace
}  // namespace helio::engine
HELIO_COMMAND(helio::engine::AlignCommand)
