// Finds each document's language, and drops those in languages that are not wanted.
#include <algorithm>

#include "data/language.h"
#include "data/op.h"

namespace helio::data {
namespace {

class Identify final : public Map {
 public:
  struct Options {
    std::vector<std::string> languages = {};
    double min_hangul = 0.4;
    double max_hangul = 0.1;
    double min_stop_words = 0.08;

    void describe(Fields& f) {
      f("languages", languages,
        "Languages kept (ko, en, ...; mixed and und are names too); empty keeps all.");
      f("min_hangul", min_hangul, "Share of words with Hangul from which a text is Korean.",
        between(0, 1));
      f("max_hangul", max_hangul, "Above this share a text is not another language: it is mixed.",
        between(0, 1));
      f("min_stop_words", min_stop_words,
        "Share of a Latin text's words that must be a language's function words.", between(0, 1));
    }
  };

  static OpCard card() {
    return {.about =
                "Tells Korean, English and a few others by script and function words, keeps the "
                "score, and drops what is not wanted. No model: tables and code are 'und'."};
  }

  explicit Identify(Options options) : options_(std::move(options)) {}

  Verdict apply(Document& document, Counters&) const override {
    const Language found =
        identify_language(document.text, {.min_hangul = options_.min_hangul,
                                          .max_hangul = options_.max_hangul,
                                          .min_stop_words = options_.min_stop_words});
    document.language = found.code;
    document.scores["language"] = found.score;
    document.scores["hangul"] = found.hangul;
    const auto& wanted = options_.languages;
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), found.code) != wanted.end())
      return keep();
    return drop("language_" + found.code, found.score);
  }

 private:
  Options options_;
};

}  // namespace

HELIO_OP(Identify)

}  // namespace helio::data
