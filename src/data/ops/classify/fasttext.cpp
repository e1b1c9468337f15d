// Scores documents with a fastText classifier: quality, toxicity, bias, or what it was trained for.
#include <fmt/format.h>

#include "core/error.h"
#include "core/options.h"
#include "data/fasttext/find_model.h"
#include "data/fasttext/model.h"
#include "data/op.h"

namespace helio::data {
namespace {

class FastTextScore final : public Map {
 public:
  struct Options {
    std::string model = {}, label = {}, score = {}, drop = "nothing", mode = "exact";
    double threshold = 0.5;
    int64_t sample = 1536;

    void describe(Fields& f) {
      f.input("model", model,
              "fastText classifier, .bin or .ftz (helio data train-classifier writes them).");
      f("label", label, "The label whose probability is the score; without __label__.");
      f("score", score, "The score's name in the dataset; the label's when empty.");
      f("drop", drop, "Which documents go: nothing, those below the threshold, or those above it.",
        one_of({"nothing", "below", "above"}));
      f("threshold", threshold, "Limit of the label's probability.", between(0, 1));
      f("mode", mode, "exact reads the whole text; fast its beginning, middle and end.",
        one_of({"exact", "fast"}));
      f("sample", sample, "fast: bytes of each of the three parts.", between(64, 1e9));
    }
  };

  static OpCard card() {
    return {.about =
                "Puts the probability of one label of a fastText classifier (quality, toxicity, "
                "bias) into the scores; drops by it when asked.",
            .source =
                "fastText (Joulin et al. 2016); as in DCLM's quality and dolma's toxicity "
                "classifiers"};
  }

  explicit FastTextScore(Options options) : options_(std::move(options)) {
    model_ = fasttext::load_shared(fasttext::find_model(options_.model));
    std::vector<std::string> labels;
    bool known = false;
    for (const std::string_view label : model_->labels()) {
      known = known || label == options_.label;
      labels.emplace_back(label);
    }
    if (!known) {
      const std::string near = nearest(options_.label, labels);
      Error unknown(ErrorKind::invalid, fmt::format("the model has no label '{}'", options_.label));
      throw unknown.with_hint(near.empty() ? fmt::format("it has {} labels, the first is '{}'",
                                                         labels.size(), labels.front())
                                           : fmt::format("did you mean '{}'?", near));
    }
    if (options_.score.empty()) options_.score = options_.label;
  }

  Verdict apply(Document& document, Counters&) const override {
    const size_t sample = options_.mode == "fast" ? size_t(options_.sample) : 0;
    double score = 0;
    for (const auto& found :
         model_->predict(fasttext::sample_parts(document.text, sample), /*k=*/0))
      if (found.label == options_.label) score = double(found.score);
    document.scores[options_.score] = score;
    if (options_.drop == "below" && score < options_.threshold)
      return helio::data::drop(options_.score + "_below", score);
    if (options_.drop == "above" && score > options_.threshold)
      return helio::data::drop(options_.score + "_above", score);
    return keep();
  }

 private:
  Options options_;
  std::shared_ptr<const fasttext::Model> model_;
};

}  // namespace

HELIO_OP(FastTextScore)

}  // namespace helio::data
