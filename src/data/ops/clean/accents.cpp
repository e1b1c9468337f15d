// Letters without their accents.
#include "data/op.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

// Where a mark is an accent and not a letter of its own: Latin, Greek and Cyrillic.
bool takes_accents(char32_t c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= 0xC0 && c <= 0x24F) ||
         (c >= 0x370 && c <= 0x52F) || (c >= 0x1E00 && c <= 0x1FFF);
}
bool is_accent(char32_t c) {
  return (c >= 0x300 && c <= 0x36F) || (c >= 0x1AB0 && c <= 0x1AFF) || (c >= 0x1DC0 && c <= 0x1DFF);
}

class Accents final : public Map {
 public:
  struct Options {
    void describe(Fields&) {}
  };

  static OpCard card() {
    return {
        .about =
            "Takes accents off Latin, Greek and Cyrillic letters; Hangul, kana and all other "
            "scripts stay as they are.",
        .source =
            "Dataverse cleaning___char___remove_accent, which takes Korean syllables apart into "
            "letters, and voicing marks off kana"};
  }

  explicit Accents(const Options&) {}

  Verdict apply(Document& document, Counters&) const override {
    std::string out, run;
    bool changed = false;
    const auto flush = [&] {
      if (run.empty()) return;
      std::string bare;
      text::for_each_code_point(text::normalize(run, text::NormalForm::nfd),
                                [&](char32_t c, std::string_view bytes) {
                                  if (!is_accent(c)) bare += bytes;
                                });
      bare = text::normalize(bare, text::NormalForm::nfc);
      changed = changed || bare != run;
      out += bare;
      run.clear();
    };
    text::for_each_code_point(document.text, [&](char32_t c, std::string_view bytes) {
      if (c >= 0x80 && (takes_accents(c) || (is_accent(c) && !run.empty()))) {
        run += bytes;
        return;
      }
      const bool letter = takes_accents(c);
      flush();
      if (letter) run += bytes;  // an accent may follow
      else out += bytes;
    });
    flush();
    if (changed) document.text = std::move(out);
    return keep();
  }
};

}  // namespace

HELIO_OP(Accents)

}  // namespace helio::data
