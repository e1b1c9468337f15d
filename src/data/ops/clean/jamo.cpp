// One form for the letters of Hangul.
#include "data/clean/hangul.h"
#include "data/op.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

class Jamo final : public Map {
 public:
  struct Options {
    std::string typed = "keep";
    void describe(Fields& f) {
      f("typed", typed,
        "Letters typed one by one (ㅎㅏㄴㄱㅡㄹ): kept, or made syllables where none is left over.",
        one_of({"keep", "compose"}));
    }
  };

  static OpCard card() {
    return {
        .about =
            "Makes syllables of conjoining Hangul letters (file names and texts from macOS) and "
            "plain letters of half-width and lone conjoining ones."};
  }

  explicit Jamo(const Options& options) : compose_(options.typed == "compose") {}

  Verdict apply(Document& document, Counters& counters) const override {
    // U+1100..11FF, U+3130.., U+A960.., U+D7B0.. and U+FFA0.. begin with E1, E3, EA, ED and EF.
    bool conjoining = false, others = false;
    text::for_each_code_point(document.text, [&](char32_t c, std::string_view) {
      if (c < 0x1100 || text::is_hangul_syllable(c)) return;
      conjoining = conjoining || c <= 0x11FF || (c >= 0xA960 && c <= 0xA97C) || c >= 0xD7B0;
      others = others || (c >= 0x3131 && c <= 0x3163) || c >= 0xFFA0;
    });
    if (!conjoining && !(others && compose_)) return keep();
    // Normal form C of the Hangul alone: accents and everything else are clean.unicode's.
    std::string out;
    out.reserve(document.text.size());
    std::u32string run;
    int64_t changed = 0;
    const auto flush = [&] {
      if (run.empty()) return;
      std::u32string now =
          text::to_code_points(text::normalize(text::to_utf8(run), text::NormalForm::nfc));
      for (char32_t& c : now) c = compatibility_letter(c);
      if (compose_) now = composed(now);
      changed += now != run;
      out += text::to_utf8(now);
      run.clear();
    };
    text::for_each_code_point(document.text, [&](char32_t c, std::string_view bytes) {
      if (text::is_hangul(c)) {
        run += c;
        return;
      }
      flush();
      out += bytes;
    });
    flush();
    if (changed > 0) {
      counters["jamo.runs"] += changed;
      document.text = std::move(out);
    }
    return keep();
  }

 private:
  static std::u32string composed(std::u32string_view run) {
    std::u32string out;
    for (size_t at = 0; at < run.size();) {
      size_t end = at;
      while (end < run.size() && (is_consonant(run[end]) || is_vowel(run[end]))) ++end;
      // ㅇㅋ, ㄱㅏ: too short to be sure; a syllable before means an emoticon behind a word.
      if (end - at >= 4) out += compose_typed(run.substr(at, end - at));
      else out += run.substr(at, end - at);
      if (end == at) out += run[end++];
      at = end;
    }
    return out;
  }

  bool compose_;
};

}  // namespace

HELIO_OP(Jamo)

}  // namespace helio::data
