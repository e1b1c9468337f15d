// Shortens laughing and crying: ㅋㅋㅋㅋㅋ becomes ㅋㅋ.
#include "data/clean/hangul.h"
#include "data/op.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

class Emoticons final : public Map {
 public:
  struct Options {
    int64_t num_repeats = 2;
    std::string repeats = "hangul";
    void describe(Fields& f) {
      f("num_repeats", num_repeats,
        "Repeats of three and more are cut to so many; 0 leaves them as they are.", between(0, 16));
      f("repeats", repeats,
        "Of what: Hangul letters (ㅋㅋㅋ, ㅠㅠㅠ), or syllables too (와아아아).",
        one_of({"letters", "hangul"}));
    }
  };

  static OpCard card() {
    return {.about =
                "Cuts repeated Hangul letters and syllables, and takes a syllable between its own "
                "consonant and vowel apart (ㅋ쿠ㅜ becomes ㅋㅋㅜㅜ) so that both are seen.",
            .source =
                "Dataverse cleaning___korean___reduce_emoticon, whose second half never acts; it "
                "would also cut 1000 to 100, so digits and Latin letters are left alone here"};
  }

  explicit Emoticons(const Options& options)
      : repeats_(options.num_repeats), syllables_(options.repeats == "hangul") {}

  Verdict apply(Document& document, Counters& counters) const override {
    const std::u32string before = text::to_code_points(document.text);
    std::u32string split;
    split.reserve(before.size());
    for (size_t i = 0; i < before.size(); ++i) {
      const char32_t c = before[i];
      if (i > 0 && i + 1 < before.size() && text::is_hangul_syllable(c) &&
          is_consonant(before[i - 1]) && is_vowel(before[i + 1])) {
        const Syllable letters = letters_of(c);
        if (letters.initial == before[i - 1] && letters.vowel == before[i + 1] &&
            letters.final == 0) {
          split += letters.initial;
          split += letters.vowel;
          continue;
        }
      }
      split += c;
    }
    const std::u32string after = repeats_ > 0 ? shortened(split) : split;
    if (after == before) return keep();
    ++counters["emoticons.documents"];
    document.text = text::to_utf8(after);
    return keep();
  }

 private:
  std::u32string shortened(std::u32string_view text) const {
    std::u32string out;
    for (size_t at = 0; at < text.size();) {
      size_t end = at;
      while (end < text.size() && text[end] == text[at]) ++end;
      const bool counts = is_consonant(text[at]) || is_vowel(text[at]) ||
                          (syllables_ && text::is_hangul_syllable(text[at]));
      const size_t length = end - at;
      out.append(counts && length > 2 ? size_t(repeats_) : length, text[at]);
      at = end;
    }
    return out;
  }

  int64_t repeats_;
  bool syllables_;
};

}  // namespace

HELIO_OP(Emoticons)

}  // namespace helio::data
