// Good and bad language models against each other.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "data/external_sort.h"
#include "data/kenlm/perplexity.h"
#include "data/op.h"

namespace helio::data {
namespace {

// In log10, so that a document of unknown words cannot carry a whole dataset's mean away.
double log_perplexity(const kenlm::Perplexity& model, const std::string& text) {
  const double value = std::log10(model.of(text));
  return std::isfinite(value) ? value : 308;
}

// Mean and deviation, whatever the order and number of the figures.
struct Moments {
  long double sum = 0, squares = 0;
  uint64_t count = 0;
  void add(double value) {
    sum += value;
    squares += static_cast<long double>(value) * value;
    ++count;
  }
  double mean() const { return count ? double(sum / count) : 0; }
  double deviation() const {
    if (count == 0) return 0;
    return std::sqrt(std::max(0.0, double(squares / count - sum / count * (sum / count))));
  }
};

class PerplexityPair final : public Stage {
 public:
  struct Options {
    std::string good = {}, bad = {}, score = "perplexity_pair", scale = "z", of = "perplexity";
    kenlm::PerplexityOptions text = {};
    double weight = 0.7, keep = 1;
    double above = std::numeric_limits<double>::infinity();
    void describe(Fields& f) {
      f.input("good", good, "KenLM model of text like what is wanted.");
      f.input("bad", bad, "KenLM model of text like what is not.");
      f("score", score, "The score's name in the dataset; lower is better.");
      f("of", of, "What is compared: the perplexities, or their logarithms (base 10).",
        one_of({"perplexity", "log"}));
      f("scale", scale,
        "z takes off each model's mean over all documents and divides by its deviation; none "
        "compares the figures as they are.",
        one_of({"z", "none"}));
      f("weight", weight, "Share of the good model's figure; the bad one's has the rest.",
        between(0, 1));
      f("above", above, "Documents with a higher score are dropped.");
      f("keep", keep, "Share of the documents that stays, those of the lowest scores.",
        between(0, 1));
      text.describe(f);
    }
  };

  static OpCard card() {
    return {.about =
                "Scores documents by the perplexity under a model of good text minus that under a "
                "model of bad text, z-scored and weighted; keeps the best share when asked.",
            .source =
                "Kim et al. 2024, Rethinking KenLM: Good and Bad Model Ensembles for "
                "Efficient Text Quality Filtering in Large Web Corpora"};
  }

  explicit PerplexityPair(const Options& options)
      : options_(options), good_(options.good, options.text), bad_(options.bad, options.text) {}

  std::unique_ptr<StageRun> start() const override { return std::make_unique<Run>(*this); }

 private:
  struct Figures {
    double good = 0, bad = 0;
  };

  Figures figures(const std::string& text) const {
    if (options_.of == "log") return {log_perplexity(good_, text), log_perplexity(bad_, text)};
    // The largest figure whose square and sums still are numbers.
    const auto limited = [](double value) { return value < 1e100 ? value : 1e100; };
    return {limited(good_.of(text)), limited(bad_.of(text))};
  }

  class Run final : public StageRun {
   public:
    explicit Run(const PerplexityPair& op) : op_(op) {}

    void survey(const Document& document, std::string& out) const override {
      put_record(out, op_.figures(document.text));
    }

    void settle(Survey& survey, StageContext& context) override {
      Moments good, bad;
      if (op_.options_.scale == "z") {
        survey.for_each<Figures>([&](const Figures& one) {
          good.add(one.good);
          bad.add(one.bad);
        });
        good_mean_ = good.mean(), bad_mean_ = bad.mean();
        // All the same: nothing to divide by, and nothing to divide.
        if (good.deviation() > 0) good_deviation_ = good.deviation();
        if (bad.deviation() > 0) bad_deviation_ = bad.deviation();
      }
      if (op_.options_.keep >= 1) return;
      ExternalSorter<double> scores(
          {.scratch = context.scratch, .memory = context.memory / 2, .threads = context.threads});
      survey.for_each<Figures>([&](const Figures& one) { scores.push(score(one)); });
      const auto stay = static_cast<uint64_t>(
          std::ceil(op_.options_.keep * static_cast<double>(scores.size()) - 1e-9));
      cut_ = -std::numeric_limits<double>::infinity();
      uint64_t taken = 0;
      for (double value; taken < stay && scores.next(value); ++taken) cut_ = value;
    }

    // The figures are measured again: what is kept between the passes does not grow with the input.
    Verdict apply(Document& document, Counters&) const override {
      const double value = score(op_.figures(document.text));
      document.scores[op_.options_.score] = value;
      if (value > op_.options_.above) return drop(op_.options_.score + "_above", value);
      if (value > cut_) return drop(op_.options_.score + "_not_among_best", value);
      return keep();
    }

   private:
    double score(const Figures& one) const {
      const double weight = op_.options_.weight;
      return weight * ((one.good - good_mean_) / good_deviation_) -
             (1 - weight) * ((one.bad - bad_mean_) / bad_deviation_);
    }

    const PerplexityPair& op_;
    double good_mean_ = 0, good_deviation_ = 1, bad_mean_ = 0, bad_deviation_ = 1;
    double cut_ = std::numeric_limits<double>::infinity();
  };

  Options options_;
  kenlm::Perplexity good_, bad_;
};

}  // namespace

HELIO_OP(PerplexityPair)

}  // namespace helio::data
