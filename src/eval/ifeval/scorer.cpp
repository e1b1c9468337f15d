#include "eval/scorer.h"

#include <map>

#include "core/error.h"
#include "eval/ifeval/ifeval.h"

namespace helio::eval {
namespace {

class IfevalScorer final : public Scorer {
 public:
  explicit IfevalScorer(const ScorerOptions& options) : variant_(options.variant) {
    items_ = ifeval::read_items(benchmark_file(
        options.benchmarks,
        variant_ == "evalverse" ? "ifeval/evalverse_input_data.jsonl" : "ifeval/input_data.jsonl"));
    for (size_t i = 0; i < items_.size(); ++i) by_prompt_[items_[i].prompt].push_back(i);
  }

  OrderedJson score(const Json& row) override {
    const std::string prompt = row_text(row, "prompt"), response = row_text(row, "response");
    const auto found = by_prompt_.find(prompt);
    if (found == by_prompt_.end())
      throw Error(ErrorKind::invalid, "no item of ifeval (" + variant_ + ") has this prompt: '" +
                                          prompt.substr(0, 80) + "'")
          .with_hint("--variant names the set of items: official or evalverse");
    size_t& used = used_[prompt];
    if (used == found->second.size())
      throw Error(ErrorKind::invalid,
                  "a second response for the prompt '" + prompt.substr(0, 80) + "'");
    const ifeval::Item& item = items_[found->second[used++]];
    const ifeval::Verdict verdict = ifeval::judge(item, response);
    summary_.add(item, verdict);
    return {{"key", item.key},
            {"prompt", prompt},
            {"strict", verdict.strict},
            {"loose", verdict.loose}};
  }

  OrderedJson summary() const override {
    OrderedJson out = {{"task", "ifeval"},
                       {"variant", variant_},
                       {"n", summary_.strict.prompts},
                       {"total", items_.size()}};
    out.update(summary_.json());
    return out;
  }

 private:
  std::string variant_;
  std::vector<ifeval::Item> items_ = {};
  std::map<std::string, std::vector<size_t>> by_prompt_ = {};
  std::map<std::string, size_t> used_ = {};
  ifeval::Summary summary_ = {};
};

}  // namespace

std::unique_ptr<Scorer> make_ifeval_scorer(const ScorerOptions& options) {
  return std::make_unique<IfevalScorer>(options);
}

}  // namespace helio::eval
