// Finds each document's language with a fastText model, and drops those that are not wanted.
#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "data/fasttext/find_model.h"
#include "data/fasttext/languages.h"
#include "data/fasttext/model.h"
#include "data/op.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

class FastTextLanguage final : public Map {
 public:
  struct Options {
    std::string model = "lid.176.ftz", mode = "exact", compare = "above";
    std::vector<std::string> languages = {}, exclude = {};
    double threshold = 0, hangul = 0.6;
    int64_t top_k = 1, score_rounding = -1, sample = 1536;

    void describe(Fields& f) {
      f.input(
          "model", model,
          "fastText model, .bin or .ftz; a bare name is also looked for in ~/.cache/heliostack, "
          "where tools/get_lid puts lid.176.ftz.");
      f("languages", languages, "Languages kept (ko, en, ...); empty keeps all.");
      f("exclude", exclude, "Languages dropped.");
      f("threshold", threshold, "The score the language must have; 0 keeps all.", between(0, 1));
      f("compare", compare,
        "Scores must be above the threshold (datatrove) or at_least (Dataverse).",
        one_of({"above", "at_least"}));
      f("top_k", top_k,
        "How many of the best languages count for languages, exclude and threshold.",
        between(1, 1000));
      f("score_rounding", score_rounding,
        "Decimals scores are rounded to before they are compared; -1 leaves them.", between(-1, 9));
      f("mode", mode,
        "exact reads the whole text; fast reads its beginning, middle and end, and takes mostly "
        "Hangul text as Korean without asking the model.",
        one_of({"exact", "fast"}));
      f("sample", sample, "fast: bytes of each of the three parts.", between(64, 1e9));
      f("hangul", hangul, "fast: share of letters from which Hangul alone decides; 1 never does.",
        between(0, 1));
    }
  };

  static OpCard card() {
    return {.about =
                "Tells the language by a fastText model (lid.176 knows 176), keeps the score, and "
                "drops what is not wanted.",
            .source =
                "fastText lid.176; datatrove LanguageFilter; Dataverse "
                "language___fasttext_filter"};
  }

  explicit FastTextLanguage(Options options) : options_(std::move(options)) {
    if (!options_.languages.empty() && !options_.exclude.empty())
      throw Error(ErrorKind::invalid, "languages and exclude cannot both be given");
    model_ = fasttext::load_shared(fasttext::find_model(options_.model));
  }

  Verdict apply(Document& document, Counters& counters) const override {
    if (options_.mode == "fast" && mostly_hangul(document.text)) {
      ++counters["language.by_script"];
      return decide(document, {{"ko", 1.0}});
    }
    const size_t sample = options_.mode == "fast" ? size_t(options_.sample) : 0;
    std::vector<Guess> guesses;
    for (const auto& found :
         model_->predict(fasttext::sample_parts(document.text, sample), int32_t(options_.top_k)))
      guesses.push_back({fasttext::language_code(found.label), rounded(double(found.score))});
    return decide(document, guesses);
  }

 private:
  struct Guess {
    std::string code;
    double score;
  };

  // As NumPy rounds: to even, in the precision of the scores.
  double rounded(double score) const {
    if (options_.score_rounding < 0) return score;
    const float scale = float(std::pow(10.0, double(options_.score_rounding)));
    return double(std::nearbyint(float(score) * scale) / scale);
  }

  Verdict decide(Document& document, const std::vector<Guess>& guesses) const {
    const Guess best = guesses.empty() ? Guess{"und", 0} : guesses.front();
    document.language = best.code;
    document.scores["language"] = best.score;
    const auto any = [&](auto&& good) { return std::any_of(guesses.begin(), guesses.end(), good); };
    const auto in = [](const std::vector<std::string>& list) {
      return [&list](const Guess& g) {
        return std::find(list.begin(), list.end(), g.code) != list.end();
      };
    };
    if (options_.threshold > 0 && !any([&](const Guess& g) {
          return options_.compare == "above" ? g.score > options_.threshold
                                             : g.score >= options_.threshold;
        }))
      return drop("language_score", best.score);
    if ((!options_.languages.empty() && !any(in(options_.languages))) || any(in(options_.exclude)))
      return drop("language_" + best.code, best.score);
    return keep();
  }

  bool mostly_hangul(std::string_view text) const {
    if (options_.hangul >= 1) return false;
    int64_t hangul = 0, letters = 0;
    for (const std::string_view part : fasttext::sample_parts(text, size_t(options_.sample)))
      for (size_t at = 0; at < part.size();) {
        if (static_cast<unsigned char>(part[at]) < 0x80) {
          const char lower = char(part[at++] | 0x20);
          letters += lower >= 'a' && lower <= 'z';
          continue;
        }
        const auto point = text::decode_utf8(part, at);
        at += point.size;
        const bool is_hangul = text::is_hangul(point.value);
        hangul += is_hangul;
        letters += is_hangul || text::is_letter(point.value);
      }
    return letters > 0 && double(hangul) > options_.hangul * double(letters);
  }

  Options options_;
  std::shared_ptr<const fasttext::Model> model_;
};

}  // namespace

HELIO_OP(FastTextLanguage)

}  // namespace helio::data
