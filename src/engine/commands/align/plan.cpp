// Show an alignment's chunks, their order and what it will cost, before it is run.
#include <fmt/format.h>

#include <ostream>

#include "engine/align_run.h"
#include "engine/training_output.h"
#include "train/align.h"
#include "train/distributed/placement.h"

namespace helio::engine {
namespace {

class AlignPlanCommand final : public cli::Command {
 public:
  cli::Card card() const override {
    return {.positional = {"model", "data"},
            .required = {"model", "data", "out"},
            .examples = {"helio align plan workspace/models/sft pairs.jsonl --steps 2 --out "
                         "workspace/models/aligned",
                         "helio align plan workspace/models/sft preference/ --steps 2 --chunks "
                         "sources --out workspace/models/aligned"}};
  }

  void describe(Fields& f) override { options_.describe(f); }

  int run(cli::Context& context) override {
    train::distributed::require_alone("helio align plan");
    train::AlignRun run = make_align_run(options_, context.monitor);
    const OrderedJson plan = run.plan_chunks(context.monitor, context.stop);
    print_plan(context, plan);
    if (context.json) return 0;
    int64_t number = 0;
    for (const auto& chunk : plan.at("chunks")) {
      context.out << fmt::format("  step {}: {} pairs, {} optimiser steps", ++number,
                                 chunk.at("pairs").get<int64_t>(),
                                 chunk.at("optimiser_steps").get<int64_t>());
      if (chunk.contains("start_accuracy"))
        context.out << fmt::format(
            "; the start model prefers the chosen answer in {:.1f} %, margins {:.3f} to {:.3f}",
            100 * chunk.at("start_accuracy").get<double>(),
            chunk.at("start_margin_low").get<double>(),
            chunk.at("start_margin_high").get<double>());
      context.out << "\n";
      for (const auto& [source, pairs] : chunk.at("sources").items())
        context.out << fmt::format("    {:>7} of {}\n", pairs.get<int64_t>(), source);
    }
    for (const auto& [reason, pairs] : plan.at("pairs_refused").items())
      context.out << fmt::format("  left out: {} pairs, {}\n", pairs.get<int64_t>(), reason);
    if (!options_.benchmarks.empty())
      context.out << fmt::format("  share words with a benchmark: {} pairs ({})\n",
                                 plan.at("pairs_contaminated").get<int64_t>(),
                                 options_.contaminated == "keep" ? "kept" : "left out");
    const auto& duplicates = plan.at("duplicates");
    context.out << fmt::format(
        "  duplicates: {} pairs, {} of them in another step's chunk; {} prompts in several chunks\n"
        "  cut to max_length: {} prompts, {} answers\n",
        duplicates.at("pairs").get<int64_t>(), duplicates.at("pairs_across_chunks").get<int64_t>(),
        duplicates.at("prompts_across_chunks").get<int64_t>(),
        plan.at("prompts_cut").get<int64_t>(), plan.at("answers_cut").get<int64_t>());
    return 0;
  }

 private:
  train::AlignOptions options_ = {};
};

}  // namespace
}  // namespace helio::engine
HELIO_COMMAND(helio::engine::AlignPlanCommand)
