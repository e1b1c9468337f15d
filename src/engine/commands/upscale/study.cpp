// Compare ways of depth up-scaling over seeds: loss at step 0, recovery and final loss, one table.
#include "cli/command.h"
#include "engine/study/study_output.h"
#include "engine/study/upscale_study.h"
#include "train/distributed/placement.h"

namespace helio::engine {
namespace {

class UpscaleStudyCommand final : public cli::Command {
 public:
  cli::Card card() const override {
    return {.required = {"tokens", "variants", "out"},
            .recipe = true,
            .examples = {"helio upscale study recipes/dus-study.yaml --tokens tokens/corpus "
                         "--tokenizer tokenizers/bpe --out studies/dus --dry-run",
                         "helio upscale study recipes/dus-study.yaml --tokens tokens/corpus --base "
                         "models/base --out studies/dus"}};
  }

  void describe(Fields& f) override {
    options_.describe(f);
    f("dry_run", dry_run_, "Print the matrix and what training will cost; write nothing.");
  }

  int run(cli::Context& context) override {
    train::distributed::require_alone("helio upscale study");
    return run_or_plan(context, options_.out, dry_run_, [&](const fs::path&) {
      return plan_upscale_study(options_, context.monitor, context.stop);
    });
  }

 private:
  UpscaleStudyOptions options_ = {};
  bool dry_run_ = false;
};

}  // namespace
}  // namespace helio::engine
HELIO_COMMAND(helio::engine::UpscaleStudyCommand)
