// How expected a document's text is to an n-gram language model.
#include "data/kenlm/perplexity.h"

#include <cmath>
#include <limits>

#include "core/error.h"
#include "data/op.h"

namespace helio::data {
namespace {

class PerplexityScore final : public Map {
 public:
  struct Options {
    std::string model = {}, score = "perplexity";
    kenlm::PerplexityOptions text = {};
    double above = std::numeric_limits<double>::infinity();
    double below = -std::numeric_limits<double>::infinity();
    void describe(Fields& f) {
      f.input("model", model,
              "KenLM model: an ARPA file (.gz, .zst too) or build_binary's probing.");
      f("score", score, "The score's name in the dataset.");
      text.describe(f);
      f("above", above, "Documents with a higher perplexity are dropped: unlike the model's text.");
      f("below", below, "Documents with a lower one are dropped: boilerplate, lists, repetition.");
    }
  };

  static OpCard card() {
    return {.about =
                "Puts a document's perplexity under a KenLM model into the scores; drops by it "
                "when asked.",
            .source =
                "KenLM (Heafield 2011); CCNet (Wenzek et al. 2019), datatrove 0.10.1 "
                "utils/perplexity.py, for other words than SentencePiece's"};
  }

  explicit PerplexityScore(const Options& options)
      : options_(options), perplexity_(options.model, options.text) {}

  Verdict apply(Document& document, Counters& counters) const override {
    const double value = perplexity_.of(document.text);
    if (!std::isfinite(value)) {  // beyond what a number can say, or a damaged model
      ++counters[options_.score + ".not_finite"];
      return std::isinf(options_.above) ? keep() : drop(options_.score + "_above", 1e308);
    }
    document.scores[options_.score] = value;
    if (value > options_.above) return drop(options_.score + "_above", value);
    if (value < options_.below) return drop(options_.score + "_below", value);
    return keep();
  }

 private:
  Options options_;
  kenlm::Perplexity perplexity_;
};

}  // namespace

HELIO_OP(PerplexityScore)

}  // namespace helio::data
