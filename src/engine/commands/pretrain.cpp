// Train a model on token shards: from scratch, or continued from another.
#include "train/pretrain.h"

#include "engine/training_output.h"

namespace helio::engine {
namespace {

class PretrainCommand final : public cli::Command {
 public:
  cli::Card card() const override {
    return {.positional = {"tokens"},
            .required = {"tokens", "out"},
            .examples = {
                "helio pretrain workspace/tokens/tokens --tokenizer workspace/tokenizers/tokenizer "
                "--out workspace/models/base --train.steps 300",
                "helio pretrain workspace/tokens/tokens --init workspace/models/upscaled "
                "--out workspace/models/recovered --train.steps 120 --resume"}};
  }

  void describe(Fields& f) override {
    options_.describe(f);
    f("dry_run", dry_run_, "Print the plan with its estimates and write nothing.");
  }

  int run(cli::Context& context) override {
    return run_or_show_plan<train::PretrainRun>(context, options_, dry_run_);
  }

 private:
  train::PretrainOptions options_ = {};
  bool dry_run_ = false;
};

}  // namespace
}  // namespace helio::engine
HELIO_COMMAND(helio::engine::PretrainCommand)
