// Score models on tasks: held-out text, cloze, preference pairs, H6, Korean benchmarks.
#include "eval/run.h"

#include <ostream>

#include "cli/command.h"
#include "nn/runtime.h"

namespace helio::engine {
namespace {

class EvalRun final : public cli::Command {
 public:
  cli::Card card() const override {
    return {.positional = {"models"},
            .required = {"models"},
            .examples = {"helio eval run models/base models/aligned/step-2 --dataset "
                         "datasets/corpus --out evals/scores",
                         "helio eval run models/base --tasks hellaswag mmlu --benchmarks "
                         "benchmarks --limit 100 --out evals/quick",
                         "helio eval run models/base --dataset datasets/corpus --dry-run"}};
  }

  void describe(Fields& f) override { options_.describe(f); }

  int run(cli::Context& context) override {
    nn::prepare_runtime(options_.threads);
    const auto load = [&](const std::filesystem::path& dir) {
      return model::load_language_model(
          dir, {.dtype = options_.dtype, .batch_tokens = options_.batch_tokens});
    };
    const auto results = eval::run_evaluation(
        options_, {.load = load, .monitor = context.monitor, .stop = context.stop});
    if (context.json) {
      context.out << compact(results) << "\n";
      return 0;
    }
    context.out << eval::results_table(results);
    if (options_.dry_run) context.out << "Nothing was scored (--dry-run).\n";
    else context.out << "Written to " << options_.out << ": results.json, samples/\n";
    return 0;
  }

 private:
  eval::EvalOptions options_ = {};
};

}  // namespace
}  // namespace helio::engine
HELIO_COMMAND(helio::engine::EvalRun)
