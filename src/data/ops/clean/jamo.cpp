// One form for the letters of Hangul.
#include <array>

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
    // U+1100..11FF, U+3131.., U+A960.., U+D7B0.. and U+FFA0.. begin with E1, E3, EA, ED and EF. A
    // text without them (syllables and plain letters alone) stays as it is whatever is done below.
    bool conjoining = false, others = false;
    const std::string_view text = document.text;
    for (size_t at = 0; at < text.size();) {
      if (!kLeads[static_cast<uint8_t>(text[at])]) {
        ++at;
        continue;
      }
      const auto point = text::decode_utf8(text, at);
      const char32_t c = point.value;
      at += point.size;
      if (text::is_hangul_syllable(c) || !text::is_hangul_jamo(c)) continue;
      const bool plain = c >= 0x3131 && c <= 0x318E;
      conjoining = conjoining || !plain;
      others = others || (c >= 0x3131 && c <= 0x3163) || c >= 0xFFA0;
    }
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
  static constexpr std::array<bool, 256> kLeads = [] {
    std::array<bool, 256> leads = {};
    for (const size_t lead : {0xE1, 0xE3, 0xEA, 0xED, 0xEF}) leads[lead] = true;
    return leads;
  }();

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
