// Score preference pairs under a model, and a reference: log-probabilities, rewards, margins,
// losses.
#include "train/score.h"

#include <ostream>

#include "engine/training_output.h"
#include "train/compute.h"
#include "train/distributed/placement.h"

namespace helio::engine {
namespace {

class AlignScoreCommand final : public cli::Command {
 public:
  cli::Card card() const override {
    return {.positional = {"model", "data"},
            .required = {"model", "data"},
            .examples = {"helio align score workspace/models/aligned/step-2 pairs.jsonl "
                         "--reference workspace/models/sft > scores.jsonl",
                         "helio align score models/base pairs.jsonl --loss simpo --beta 2"}};
  }

  void describe(Fields& f) override { options_.describe(f); }

  int run(cli::Context& context) override {
    train::distributed::require_alone("helio align score");
    train::use_threads(options_.threads);
    const auto summary = train::score_preferences(
        options_, context.monitor, context.stop,
        [&](const OrderedJson& row) { context.out << compact(row) << "\n"; });
    context.monitor.note(compact(summary.json()));
    return 0;
  }

 private:
  train::ScoreOptions options_ = {};
};

}  // namespace
}  // namespace helio::engine
HELIO_COMMAND(helio::engine::AlignScoreCommand)
