// Score outputs you have: IFEval, EQ-Bench and GSM8K answers, MT-Bench judgments.
#include <fmt/format.h>

#include <iostream>
#include <ostream>

#include "cli/command.h"
#include "core/error.h"
#include "core/lines.h"
#include "eval/scorer.h"

namespace helio::cli {
namespace {

class EvalScore final : public Command {
 public:
  Card card() const override {
    return {.positional = {"task"},
            .required = {"task", "responses"},
            .examples = {"helio eval score ifeval --responses out.jsonl --benchmarks benchmarks",
                         "helio eval score ifeval --variant evalverse --responses out.jsonl "
                         "--benchmarks benchmarks --json",
                         "helio eval score eq_bench --variant lm-eval --responses answers.jsonl "
                         "--benchmarks benchmarks",
                         "helio eval score mt_bench --responses judgments.jsonl --benchmarks "
                         "benchmarks"}};
  }
  void describe(Fields& f) override {
    f("task", task_, "Whose items were answered: eq_bench, gsm8k, ifeval or mt_bench.");
    f.input("responses", responses_, "JSON lines, one an output (plain, .gz, .zst).");
    f("variant", options_.variant,
      "Protocol or set of items: ifeval official, evalverse; eq_bench original, revised, lm-eval; "
      "gsm8k current, evalverse, openllm-v1; mt_bench single, pairwise. Empty: the first.");
    f.input("benchmarks", options_.benchmarks, "Folder of benchmark data.");
  }

  int run(Context& context) override {
    const auto scorer = eval::make_scorer(task_, options_);
    int64_t rows = 0;
    read_jsonl(responses_, [&](const Json& row, int64_t line) {
      context.stop.check();
      ++rows;
      const OrderedJson out = in_context([&] { return fmt::format("at {}:{}", responses_, line); },
                                         [&] { return scorer->score(row); });
      if (!context.json && !out.is_null()) context.out << compact(out) << "\n";
    });
    if (rows == 0) throw Error(ErrorKind::invalid, "'" + responses_ + "' has no rows");
    const OrderedJson summary = scorer->summary();
    if (context.json) context.out << compact(summary) << "\n";
    else std::cerr << pretty(summary);
    return 0;
  }

 private:
  std::string task_ = {}, responses_ = {};
  eval::ScorerOptions options_ = {};
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::EvalScore)
