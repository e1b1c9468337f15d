#include "eval/scorer.h"

#include <set>

#include "core/error.h"
#include "core/lines.h"
#include "eval/answering.h"
#include "eval/gsm8k/gsm8k.h"
#include "eval/statistics.h"
#include "eval/task_spec.h"
#include "text/utf8.h"

namespace helio::eval {
namespace {

class Gsm8kScorer final : public Scorer {
 public:
  explicit Gsm8kScorer(const ScorerOptions& options)
      : profile_(options.variant), stops_(with_profile(find_task("gsm8k"), profile_).answer.until) {
    read_jsonl(benchmark_file(options.benchmarks, "gsm8k/test.jsonl"),
               [&](const Json& row, int64_t) { answers_.push_back(row_text(row, "answer")); });
  }

  OrderedJson score(const Json& row) override {
    if (!row.is_object() || !row.contains("doc") || !row.at("doc").is_number_unsigned() ||
        row.at("doc").get<uint64_t>() >= answers_.size())
      throw Error(ErrorKind::invalid,
                  "'doc' is no number from 0 to " + std::to_string(answers_.size()) + " (excluded)")
          .with_hint("'doc' is the question's place in gsm8k/test.jsonl, from 0");
    const auto doc = row.at("doc").get<size_t>();
    if (!seen_.insert(doc).second)
      throw Error(ErrorKind::invalid, "a second output for question " + std::to_string(doc));
    const std::string text = cut_at_stops(text::repair_utf8(row_text(row, "response")), stops_);
    const std::string& answer = answers_[doc];
    const std::string strict = gsm8k::strict_match(text), loose = gsm8k::flexible_extract(text);
    if (profile_ == "openllm-v1") {
      right_ += gsm8k::leaderboard_v1_match(text, answer);
      return {{"doc", doc}, {"answer", strict}, {"acc", gsm8k::leaderboard_v1_match(text, answer)}};
    }
    const bool strict_right = gsm8k::exact_match(strict, answer),
               loose_right = gsm8k::exact_match(loose, answer);
    right_ += strict_right;
    loose_ += loose_right;
    return {{"doc", doc},
            {"strict-match", {{"answer", strict}, {"exact_match", strict_right}}},
            {"flexible-extract", {{"answer", loose}, {"exact_match", loose_right}}}};
  }

  OrderedJson summary() const override {
    const auto n = static_cast<int64_t>(seen_.size());
    OrderedJson out = {
        {"task", "gsm8k"}, {"variant", profile_}, {"n", n}, {"total", answers_.size()}};
    if (profile_ == "openllm-v1") {
      out["acc"] = json(proportion(right_, n));
    } else {
      out["exact_match,strict-match"] = json(proportion(right_, n));
      out["exact_match,flexible-extract"] = json(proportion(loose_, n));
    }
    return out;
  }

 private:
  std::string profile_;
  std::vector<std::string> stops_;
  std::vector<std::string> answers_ = {};
  std::set<size_t> seen_ = {};
  int64_t right_ = 0, loose_ = 0;
};

}  // namespace

std::unique_ptr<Scorer> make_gsm8k_scorer(const ScorerOptions& options) {
  return std::make_unique<Gsm8kScorer>(options);
}

}  // namespace helio::eval
