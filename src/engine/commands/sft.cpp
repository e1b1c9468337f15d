// Fine-tune a model on conversations (supervised fine-tuning).
#include "train/sft.h"

#include "engine/training_output.h"

namespace helio::engine {
namespace {

class SftCommand final : public cli::Command {
 public:
  cli::Card card() const override {
    return {
        .positional = {"model", "data"},
        .required = {"model", "data", "out"},
        .examples = {
            "helio sft workspace/models/recovered alpaca_en_demo.json --out workspace/models/sft",
            "helio sft workspace/models/recovered chats.jsonl --out workspace/models/sft "
            "--dry-run"}};
  }

  void describe(Fields& f) override {
    options_.describe(f);
    f("dry_run", dry_run_, "Print the plan with its estimates and write nothing.");
  }

  int run(cli::Context& context) override {
    return stoppable([&] {
      train::SftRun run(options_);
      const bool leads =
          train::distributed::placement().leads();  // of several processes one speaks
      if (!dry_run_) {
        const auto summary = run.run(context.monitor, context.stop);
        if (leads) print_summary(context, options_.out, summary);
      } else if (leads) {
        print_plan(context, run.plan());
      }
      return 0;
    });
  }

 private:
  train::SftOptions options_ = {};
  bool dry_run_ = false;
};

}  // namespace
}  // namespace helio::engine
HELIO_COMMAND(helio::engine::SftCommand)
