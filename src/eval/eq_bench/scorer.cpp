#include "eval/scorer.h"

#include <map>
#include <set>

#include "core/error.h"
#include "eval/eq_bench/eq_bench.h"
#include "eval/statistics.h"

namespace helio::eval {
namespace {

using namespace eq_bench;

std::string id_of(const Json& row) {
  if (row.is_object() && row.contains("id") && row.at("id").is_number_integer())
    return std::to_string(row.at("id").get<int64_t>());
  return row_text(row, "id");
}

// `response`, or the attempts in `responses`.
std::vector<std::string> attempts_of(const Json& row) {
  if (!row.contains("responses")) return {row_text(row, "response")};
  std::vector<std::string> out;
  for (const auto& each : row.at("responses")) {
    if (!row.at("responses").is_array() || !each.is_string())
      throw Error(ErrorKind::invalid, "'responses' is no list of texts");
    out.push_back(each.get<std::string>());
  }
  if (out.empty()) throw Error(ErrorKind::invalid, "'responses' is empty");
  return out;
}

OrderedJson json_of(const std::optional<double>& value) {
  return value ? OrderedJson(*value) : OrderedJson();
}

class EqBenchScorer : public Scorer {
 public:
  explicit EqBenchScorer(const ScorerOptions& options) : variant_(options.variant) {
    items_ =
        read_items(benchmark_file(options.benchmarks, "eq_bench/eq_bench_v2_questions_171.json"));
    for (size_t i = 0; i < items_.size(); ++i) place_[items_[i].id] = i;
  }

  OrderedJson score(const Json& row) override {
    const std::string id = id_of(row);
    const auto found = place_.find(id);
    if (found == place_.end())
      throw Error(ErrorKind::invalid, "EQ-Bench has no question '" + id + "'");
    if (!seen_.insert(id).second)
      throw Error(ErrorKind::invalid, "a second answer to question '" + id + "'")
          .with_hint("attempts at one question go into one row's 'responses'");
    const Item& item = items_[found->second];
    const auto attempts = attempts_of(row);
    if (variant_ == "lm-eval") return score_once(item, attempts.front());
    return variant_ == "revised" ? score_revised(item, attempts) : score_first(item, attempts);
  }

  OrderedJson summary() const override {
    OrderedJson out = {
        {"task", "eq_bench"}, {"variant", variant_}, {"n", seen_.size()}, {"total", items_.size()}};
    const Estimate first = mean(first_), revised = mean(revised_);
    const auto figure = [](const Estimate& e) {
      return e.n ? OrderedJson(100 * (e.value / 10)) : OrderedJson();
    };
    const auto error = [](const Estimate& e) {
      return e.stderr_ ? OrderedJson(*e.stderr_ * 10) : OrderedJson();
    };
    if (variant_ == "lm-eval") {
      out["eqbench"] = figure(first);
      out["eqbench_stderr"] = error(first);
      out["percent_parseable"] = seen_.empty() ? OrderedJson()
                                               : OrderedJson(100.0 * static_cast<double>(parsed_) /
                                                             static_cast<double>(seen_.size()));
      return out;
    }
    // Of the two passes the better, unless far fewer of its answers can be read.
    const bool take_revised = variant_ == "revised" && revised.n > 0 &&
                              (!first.n || revised.value >= first.value) &&
                              static_cast<double>(revised.n) >= 0.95 * static_cast<double>(first.n);
    const Estimate& last = take_revised ? revised : first;
    out["score"] = figure(last);
    out["score_stderr"] = error(last);
    out["parseable"] = last.n;
    // The published rule, over all questions: fewer than 83.33 % is no result.
    out["failed"] =
        static_cast<double>(last.n) / static_cast<double>(items_.size()) < kLeastParseable;
    if (variant_ == "revised") {
      out["first_pass_score"] = figure(first);
      out["first_pass_parseable"] = first.n;
      out["revised_score"] = figure(revised);
      out["revised_parseable"] = revised.n;
    }
    out["retries"] = retries_;
    return out;
  }

 private:
  // lm-evaluation-harness: one answer; what cannot be read counts 0.
  OrderedJson score_once(const Item& item, const std::string& text) {
    const auto found = score_answer(item, parse_answer(text));
    first_.push_back(found.value_or(0));
    parsed_ += found.has_value();
    return {{"id", item.id},
            {"eqbench", found ? *found * 10 : 0.0},
            {"percent_parseable", found ? 100 : 0}};
  }

  // The published program: the first attempt that can be read; without one the item is left out.
  OrderedJson score_first(const Item& item, const std::vector<std::string>& attempts) {
    std::optional<double> found;
    size_t used = 0;
    while (used < attempts.size() && !found) {
      const Answer answer = parse_answer(attempts[used++]);
      if (is_parseable(item, answer)) found = score_answer(item, answer);
    }
    retries_ += static_cast<int64_t>(used) - 1;
    if (found) first_.push_back(*found);
    return {{"id", item.id}, {"score", json_of(found)}, {"attempts", used}};
  }

  // Both passes have to be readable; when no attempt has both, the first that has one is taken.
  OrderedJson score_revised(const Item& item, const std::vector<std::string>& attempts) {
    std::optional<Passes> taken;
    size_t used = 0;
    for (bool both = false; used < attempts.size() && !both;) {
      const Passes passes = parse_passes(attempts[used++]);
      const bool first = is_parseable(item, passes.first),
                 revised = is_parseable(item, passes.revised);
      both = first && revised;
      if (both || (!taken && (first || revised))) taken = passes;
    }
    retries_ += static_cast<int64_t>(used) - 1;
    std::optional<double> first, revised;
    if (taken) {
      first = score_answer(item, taken->first);
      revised = score_answer(item, taken->revised);
    }
    if (first) first_.push_back(*first);
    if (revised) revised_.push_back(*revised);
    return {{"id", item.id},
            {"first_pass_score", json_of(first)},
            {"revised_score", json_of(revised)},
            {"attempts", used}};
  }

  std::string variant_;
  std::vector<Item> items_ = {};
  std::map<std::string, size_t> place_ = {};
  std::set<std::string> seen_ = {};
  std::vector<double> first_ = {}, revised_ = {};
  int64_t parsed_ = 0, retries_ = 0;
};

}  // namespace

std::unique_ptr<Scorer> make_eq_bench_scorer(const ScorerOptions& options) {
  return std::make_unique<EqBenchScorer>(options);
}

}  // namespace helio::eval
