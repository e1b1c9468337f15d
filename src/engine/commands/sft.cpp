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
    return run_or_show_plan<train::SftRun>(context, options_, dry_run_);
  }

 private:
  train::SftOptions options_ = {};
  bool dry_run_ = false;
};

}  // namespace
}  // namespace helio::engine
HELIO_COMMAND(helio::engine::SftCommand)
