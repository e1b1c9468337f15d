// Compare ways of alignment (SFT, DPO, sDPO in several orders) over seeds: one recipe, one table.
#include "cli/command.h"
#include "engine/study/align_study.h"
#include "engine/study/study_output.h"
#include "train/distributed/placement.h"

namespace helio::engine {
namespace {

class AlignStudyCommand final : public cli::Command {
 public:
  cli::Card card() const override {
    return {.required = {"model", "sources", "heldout", "variants", "out"},
            .recipe = true,
            .examples = {"helio align study recipes/sdpo-study.yaml --model models/sft --sources "
                         "'{D1: easy.jsonl, D2: hard.jsonl}' --heldout heldout.jsonl --out "
                         "studies/sdpo --dry-run",
                         "helio align study mine.yaml --seeds 1 2 3 4 5 --out studies/mine"}};
  }

  void describe(Fields& f) override {
    options_.describe(f);
    f("dry_run", dry_run_, "Print the matrix and what training will cost; write nothing.");
  }

  int run(cli::Context& context) override {
    train::distributed::require_alone("helio align study");
    return run_or_plan(context, options_.out, dry_run_, [&](const fs::path& data) {
      return plan_align_study(options_, data, context.monitor, context.stop);
    });
  }

 private:
  AlignStudyOptions options_ = {};
  bool dry_run_ = false;
};

}  // namespace
}  // namespace helio::engine
HELIO_COMMAND(helio::engine::AlignStudyCommand)
