// Drops documents with too little Hangul.
#include "data/op.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

class HangulRatio final : public Filter {
 public:
  struct Options {
    double min_ratio = 0.5;
    std::string unit = "word";

    void describe(Fields& f) {
      f("min_ratio", min_ratio, "Smallest share of Hangul kept.", between(0, 1));
      f("unit", unit, "Words with Hangul among words, or Hangul among characters but spaces.",
        one_of({"word", "char"}));
    }
  };

  static OpCard card() {
    return {.about = "Drops documents with too little Hangul.",
            .source =
                "Dataverse cleaning___korean___filter_by_ratio, which is missing from its "
                "registry; words here are runs without white space"};
  }

  explicit HangulRatio(Options options) : options_(std::move(options)) {
    checks_ = {{"hangul_ratio", Check::Drops::below, options_.min_ratio}};
  }

  void measure(const Document& document, Figures& figures) const override {
    figures.next(options_.unit == "word" ? of_words(document.text) : of_chars(document.text));
  }

 private:
  static bool is_korean(char32_t c) {  // [ㄱ-힣] as Dataverse writes it, letters and syllables only
    return text::is_hangul_syllable(c) || (c >= 0x3131 && c <= 0x3163);
  }

  static double of_words(std::string_view text) {
    int64_t words = 0, korean = 0;
    text::for_each_word(text, [&](std::string_view word) {
      ++words;
      for (size_t at = 0; at < word.size();) {
        const auto point = text::decode_utf8(word, at);
        if (is_korean(point.value)) {
          ++korean;
          return;
        }
        at += point.size;
      }
    });
    return words == 0 ? 0 : double(korean) / double(words);
  }

  static double of_chars(std::string_view text) {
    int64_t chars = 0, korean = 0;
    text::for_each_code_point(text, [&](char32_t c, std::string_view) {
      if (text::is_python_space(c)) return;
      ++chars;
      korean += is_korean(c);
    });
    return chars == 0 ? 0 : double(korean) / double(chars);
  }

  Options options_;
};

}  // namespace

HELIO_OP(HangulRatio)

}  // namespace helio::data
