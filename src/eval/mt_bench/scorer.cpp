#include "eval/scorer.h"

#include <map>
#include <set>

#include "core/error.h"
#include "eval/mt_bench/mt_bench.h"
#include "eval/statistics.h"
#include "text/utf8.h"

namespace helio::eval {
namespace {

using namespace mt_bench;

std::string judgment_of(const Json& row, const char* name) {
  return text::repair_utf8(row_text(row, name));
}

class MtBenchScorer : public Scorer {
 public:
  explicit MtBenchScorer(const ScorerOptions& options) {
    for (const auto& question :
         read_questions(benchmark_file(options.benchmarks, "mt_bench/question.jsonl"))) {
      category_[question.id] = question.category;
      total_ += question.turns.size();
    }
  }

 protected:
  // Checks the question and turn; one judgment of each for each model (or pair).
  std::pair<int64_t, int64_t> place(const Json& row, const std::string& who) {
    if (!row.is_object() || !row.contains("question_id") || !row.contains("turn") ||
        !row.at("question_id").is_number_integer() || !row.at("turn").is_number_integer())
      throw Error(ErrorKind::invalid, "no numbers in 'question_id' and 'turn'");
    const auto id = row.at("question_id").get<int64_t>(), turn = row.at("turn").get<int64_t>();
    if (!category_.contains(id) || turn < 1 || turn > 2)
      throw Error(ErrorKind::invalid, "MT-Bench has no turn " + std::to_string(turn) +
                                          " of question " + std::to_string(id));
    if (!seen_.insert({who, {id, turn}}).second)
      throw Error(ErrorKind::invalid, "a second judgment of turn " + std::to_string(turn) +
                                          " of question " + std::to_string(id) + " for " + who);
    return {id, turn};
  }
  std::map<int64_t, std::string> category_ = {};
  size_t total_ = 0;
  std::set<std::pair<std::string, std::pair<int64_t, int64_t>>> seen_ = {};
};

class SingleScorer final : public MtBenchScorer {
 public:
  using MtBenchScorer::MtBenchScorer;

  OrderedJson score(const Json& row) override {
    const std::string model = row_text(row, "model");
    const auto [id, turn] = place(row, model);
    const auto rating = rating_of(judgment_of(row, "judgment"));
    Model& sums = models_[model];
    if (rating) {
      sums.turns[turn].push_back(*rating);
      sums.categories[category_.at(id)].push_back(*rating);
      sums.all.push_back(*rating);
    } else {
      ++sums.without;
    }
    return {{"question_id", id},
            {"turn", turn},
            {"model", model},
            {"rating", rating ? OrderedJson(*rating) : OrderedJson()}};
  }

  OrderedJson summary() const override {
    OrderedJson models = OrderedJson::object();
    for (const auto& [name, sums] : models_) {
      OrderedJson categories = OrderedJson::object(), turns = OrderedJson::object();
      for (const auto& [category, ratings] : sums.categories)
        categories[category] = json(mean(ratings));
      for (const auto& [turn, ratings] : sums.turns)
        turns[std::to_string(turn)] = json(mean(ratings));
      models[name] = {{"n", sums.all.size()},
                      {"without_rating", sums.without},
                      {"score", sums.all.empty() ? OrderedJson() : json(mean(sums.all))},
                      {"turns", turns},
                      {"categories", categories}};
    }
    return {{"task", "mt_bench"},
            {"variant", "single"},
            {"n", seen_.size()},
            {"total", total_ * models_.size()},
            {"models", models}};
  }

 private:
  struct Model {
    std::map<int64_t, std::vector<double>> turns = {};
    std::map<std::string, std::vector<double>> categories = {};
    std::vector<double> all = {};
    int64_t without = 0;
  };
  std::map<std::string, Model> models_ = {};
};

// Each pair is judged twice, in both orders; a winner has to win both.
class PairwiseScorer final : public MtBenchScorer {
 public:
  using MtBenchScorer::MtBenchScorer;

  OrderedJson score(const Json& row) override {
    const std::string first = row_text(row, "model_1"), second = row_text(row, "model_2");
    const auto [id, turn] = place(row, first + " against " + second);
    const auto straight = winner_of(verdict_of(judgment_of(row, "g1_judgment")), first, second),
               swapped = winner_of(verdict_of(judgment_of(row, "g2_judgment")), second, first);
    std::string result;
    if (!straight || !swapped) {
      result = "error";
      ++models_[first].errors;
      ++models_[second].errors;
    } else if (straight != swapped || *straight == "tie") {
      result = "tie";
      ++models_[first].ties;
      ++models_[second].ties;
    } else {
      result = *straight;
      ++models_[result].wins;
      ++models_[result == first ? second : first].losses;
    }
    return {{"question_id", id},
            {"turn", turn},
            {"model_1", first},
            {"model_2", second},
            {"winner", result}};
  }

  OrderedJson summary() const override {
    OrderedJson models = OrderedJson::object();
    for (const auto& [name, sums] : models_) {
      const auto n = static_cast<double>(sums.wins + sums.losses + sums.ties);
      const auto share = [&](double part) { return n > 0 ? OrderedJson(part / n) : OrderedJson(); };
      models[name] = {{"win", sums.wins},
                      {"loss", sums.losses},
                      {"tie", sums.ties},
                      {"error", sums.errors},
                      {"win_rate", share(static_cast<double>(sums.wins))},
                      {"loss_rate", share(static_cast<double>(sums.losses))},
                      {"win_rate_adjusted", share(static_cast<double>(sums.wins) +
                                                  0.5 * static_cast<double>(sums.ties))}};
    }
    return {{"task", "mt_bench"},
            {"variant", "pairwise"},
            {"n", seen_.size()},
            {"total", total_ * pairs()},
            {"models", models}};
  }

 private:
  struct Model {
    int64_t wins = 0, losses = 0, ties = 0, errors = 0;
  };
  size_t pairs() const {
    std::set<std::string> names;
    for (const auto& each : seen_) names.insert(each.first);
    return names.size();
  }
  std::map<std::string, Model> models_ = {};
};

}  // namespace

std::unique_ptr<Scorer> make_mt_bench_scorer(const ScorerOptions& options) {
  if (options.variant == "pairwise") return std::make_unique<PairwiseScorer>(options);
  return std::make_unique<SingleScorer>(options);
}

}  // namespace helio::eval
