// Print what a task asks, without a model: one JSON line a continuation.
#include <ostream>

#include "cli/command.h"
#include "core/error.h"
#include "eval/task.h"

namespace helio::cli {
namespace {

class EvalRequests final : public Command {
 public:
  Card card() const override {
    return {.positional = {"task"},
            .required = {"task"},
            .examples = {
                "helio eval requests hellaswag --benchmarks benchmarks --limit 3",
                "helio eval requests mmlu --benchmarks benchmarks --shots 5 --limit-per-subject 1",
                "helio eval requests cloze --dataset datasets/corpus --limit 2"}};
  }
  void describe(Fields& f) override {
    f("task", task_, "A task's name, or the path of a .task.yaml.");
    f.input("benchmarks", sources_.benchmarks, "Folder of benchmark data.");
    f.input("dataset", sources_.dataset, "Dataset, for tasks made from held-out documents.");
    f("limit", sources_.limit, "Items; 0: all.", at_least(0));
    f("limit_per_subject", sources_.limit_per_subject, "Items of each subject; 0: as limit says.",
      at_least(0));
    f("shots", sources_.shots, "Few-shot examples; -1: as the task says.", at_least(-1));
    f("seed", sources_.seed, "Seed of draws.", at_least(0));
  }

  int run(Context& context) override {
    const auto task = eval::make_task(eval::find_task(task_), sources_);
    if (!task->not_run().empty())
      throw Error(ErrorKind::not_found, "'" + task_ + "' cannot be shown: " + task->not_run());
    for (int64_t item = 0; item < task->items(); ++item) {
      context.stop.check();
      const auto asks = task->asks(item);
      if (asks.empty())
        throw Error(ErrorKind::usage, "what '" + task_ + "' asks depends on the model's tokenizer")
            .with_hint("`helio eval run` writes each item's scores to samples/");
      for (size_t i = 0; i < asks.size(); ++i)
        context.out << compact({{"doc", task->item_id(item)},
                                {"choice", i},
                                {"context", asks[i].context},
                                {"continuation", asks[i].continuation}})
                    << "\n";
    }
    return 0;
  }

 private:
  std::string task_ = {};
  eval::Sources sources_ = {};
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::EvalRequests)
