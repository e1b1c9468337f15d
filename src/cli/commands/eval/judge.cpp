// Have MT-Bench answers judged by a model behind an OpenAI-compatible endpoint.
#include "eval/mt_bench/judge.h"

#include <fmt/format.h>

#include <iostream>
#include <ostream>

#include "cli/command.h"
#include "core/error.h"
#include "core/lines.h"
#include "eval/scorer.h"

namespace helio::cli {
namespace {

using namespace eval::mt_bench;

class EvalJudge final : public Command {
 public:
  Card card() const override {
    return {.positional = {"answers"},
            .required = {"answers", "judge", "out"},
            .examples = {"helio eval judge answers/mine.jsonl --benchmarks benchmarks --judge "
                         "openai:https://api.openai.com/v1#gpt-4 --out judgments/mine.jsonl",
                         "helio eval judge answers/mine.jsonl --against answers/base.jsonl "
                         "--benchmarks benchmarks --judge openai:http://localhost:8000/v1#judge "
                         "--out judgments/mine-base.jsonl"}};
  }
  void describe(Fields& f) override {
    f.input("answers", answers_, "Answers to MT-Bench's questions, as FastChat writes them.");
    f.input("against", against_, "Answers of a second model: judged pairwise, in both orders.");
    f.input("benchmarks", benchmarks_, "Folder of benchmark data.");
    f("judge", options_.endpoint.model,
      "The judge: openai:URL#name; its key comes from the environment.");
    options_.endpoint.describe_requests(f);
    f("parallel", options_.parallel, "Requests at a time.", between(1, 256));
    f.output("out", out_, "evals",
             "File of judgments; those it has are kept, so a run that ended early goes on.");
  }

  int run(Context& context) override {
    const JudgeData data = read_judge_data(benchmarks_);
    const ModelAnswers model = read_answers(answers_);
    const ModelAnswers against = against_.empty() ? ModelAnswers{} : read_answers(against_);
    if (!against_.empty() && against.model == model.model)
      throw Error(ErrorKind::usage, "both files are answers of '" + model.model + "'");
    const auto matches = make_matches(data, model, against);
    options_.out = out_;
    const JudgeOutcome outcome =
        judge(matches, model, against, options_, context.monitor, context.stop);

    const auto scorer = eval::make_scorer(
        "mt_bench",
        {.variant = against_.empty() ? "single" : "pairwise", .benchmarks = benchmarks_});
    read_jsonl(out_, [&](const Json& row, int64_t) { scorer->score(row); });
    OrderedJson summary = scorer->summary();
    summary["judged_now"] = outcome.judged;
    summary["kept"] = outcome.kept;
    summary["failed"] = outcome.failed;
    summary["retries"] = outcome.retries;
    // With --json stdout has one object: the error, when there is one.
    if (!context.json) context.out << pretty(summary);
    if (outcome.failed)
      throw Error(ErrorKind::failed,
                  fmt::format("{} of {} judgments failed; the first: {}", outcome.failed,
                              matches.size(), outcome.first_problem))
          .with_hint("run the same command again: what is in --out is kept");
    if (context.json) context.out << compact(summary) << "\n";
    return 0;
  }

 private:
  std::string answers_ = {}, against_ = {}, benchmarks_ = {}, out_ = {};
  JudgeOptions options_ = {};
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::EvalJudge)
