// Dataverse's Korean ratio, the block its registry lost.
#include "data/op.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

// Python's \w
bool is_word_char(char32_t c) {
  if (c < 0x80)
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  return text::is_letter(c) || text::is_number(c);
}

class KoreanRatio final : public Filter {
 public:
  struct Options {
    std::string filter_type = "word";
    double korean_ratio = 0.5;
    std::string letters = "hangul";

    void describe(Fields& f) {
      f("filter_type", filter_type,
        "Words with a Korean letter among words, or Korean letters among characters but spaces.",
        one_of({"word", "char"}));
      f("korean_ratio", korean_ratio, "Smallest share that is kept.", between(0, 1));
      f("letters", letters,
        "Korean letters: Hangul, or all from U+3131 to U+D7A3 as Dataverse's [ㄱ-힣] takes them, "
        "Han characters among them.",
        one_of({"hangul", "dataverse"}));
    }
  };

  static OpCard card() {
    return {.about = "Drops documents with too little Korean, by words or by characters.",
            .source = "Dataverse cleaning___korean___filter_by_ratio"};
  }

  explicit KoreanRatio(Options options) : o_(std::move(options)) {
    checks_ = {{"korean_ratio", Check::Drops::below, o_.korean_ratio}};
  }

  // A word is a run of letters, digits and underscores. Without any the share is -1: dropped at
  // every threshold, as Dataverse does.
  void measure(const Document& document, Figures& figures) const override {
    int64_t all = 0, korean = 0;
    bool in_word = false, counted = false;
    text::for_each_code_point(document.text, [&](char32_t c, std::string_view) {
      const bool letter = is_korean(c);
      if (o_.filter_type == "char") {
        if (c == ' ' || (c >= 9 && c <= 13)) return;
        ++all;
        korean += letter;
        return;
      }
      if (!is_word_char(c)) {
        in_word = false;
        return;
      }
      if (!in_word) ++all, in_word = true, counted = false;
      if (letter && !counted) ++korean, counted = true;
    });
    figures.next(all == 0 ? -1 : double(korean) / double(all));
  }

 private:
  bool is_korean(char32_t c) const {
    if (o_.letters == "dataverse") return c >= 0x3131 && c <= 0xD7A3;
    return text::is_hangul_syllable(c) || (c >= 0x3131 && c <= 0x3163);
  }

  Options o_;
};

}  // namespace

HELIO_OP(KoreanRatio)

}  // namespace helio::data
