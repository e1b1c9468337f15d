// Make preference pairs from prompts: answers of a model or of files, by a judge or a rule.
#include "engine/pairs/build_pairs.h"

#include <ostream>

#include "cli/command.h"
#include "core/error.h"
#include "train/compute.h"

namespace helio::engine {
namespace {

class BuildPairsCommand final : public cli::Command {
 public:
  cli::Card card() const override {
    return {
        .required = {"out"},
        .examples = {"helio align build-pairs --prompts prompts.jsonl --model models/sft --judge "
                     "openai:http://localhost:8000/v1#judge --benchmarks benchmarks --out "
                     "pairs.jsonl",
                     "helio align build-pairs --answers answers.jsonl --judge models/aligned "
                     "--judge-reference models/sft --benchmarks benchmarks --out pairs.jsonl",
                     "helio align build-pairs --chosen rephrased.jsonl --rejected "
                     "original.jsonl --benchmarks benchmarks/gsm8k --out math.jsonl"}};
  }

  void describe(Fields& f) override { options_.describe(f); }

  int run(cli::Context& context) override {
    train::use_threads(options_.threads);
    try {
      const OrderedJson counts = build_pairs(options_, context.monitor, context.stop).json();
      if (context.json) context.out << compact(counts) << "\n";
      else {
        context.out << counts.at("pairs") << " pairs of " << counts.at("prompts") << " prompts in "
                    << options_.out << "\n";
        for (const auto& [reason, count] : counts.at("left_out").items())
          context.out << "  left out: " << count << " " << reason << "\n";
        if (counts.at("unmatched") > 0)
          context.out << "  without a partner: " << counts.at("unmatched") << " rows\n";
        for (const auto& [item, count] : counts.at("contaminated_by").items())
          context.out << "  shares words with " << item << ": " << count << "\n";
      }
      return 0;
    } catch (Error& error) {
      if (error.kind() == ErrorKind::interrupted)
        error.with_hint("go on:  the same command; what is done is in " + options_.out +
                        ".journal");
      throw;
    }
  }

 private:
  BuildPairsOptions options_ = {};
};

}  // namespace
}  // namespace helio::engine
HELIO_COMMAND(helio::engine::BuildPairsCommand)
