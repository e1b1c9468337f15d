// One form for each character and each kind of white space.
#include "text/unicode.h"

#include "data/op.h"

namespace helio::data {
namespace {

enum class Kind { keep, leave_out, space, line_end };

// Controls become spaces rather than nothing: "a\u0007b" was two words. What has no width and means
// no break (soft hyphen, byte order mark, direction marks) goes; joiners stay, emoji need them.
Kind kind_of(char32_t c) {
  if (c == '\n' || c == 0x2028 || c == 0x2029 || c == 0x85) return Kind::line_end;
  if (c == 0xAD || c == 0xFEFF || c == 0x2060 || c == 0x200E || c == 0x200F ||
      (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069))
    return Kind::leave_out;
  if (c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x200B || text::is_python_space(c))
    return Kind::space;
  return Kind::keep;
}

bool is_plain_ascii(std::string_view text) {
  for (const unsigned char c : text)
    if (c >= 0x80) return false;
  return true;
}

class Unicode final : public Map {
 public:
  struct Options {
    std::string form = "nfc", layout = "tidy";
    void describe(Fields& f) {
      f("form", form, "Normal form; nfkc also folds full-width and compatibility characters.",
        one_of({"nfc", "nfkc"}));
      f("layout", layout, "keep: the normal form alone, spaces and controls as they are.",
        one_of({"tidy", "keep"}));
    }
  };

  static OpCard card() {
    return {.about =
                "Normal form, no control or invisible characters, one kind of space and line "
                "end, at most one blank line; words are never joined and indentation stays.",
            .source =
                "Dataverse's unicode___normalize, char___normalize_whitespace and "
                "char___remove_unprintable, without the last one's joined words"};
  }

  explicit Unicode(const Options& options)
      : form_(options.form == "nfkc" ? text::NormalForm::nfkc : text::NormalForm::nfc),
        tidy_(options.layout == "tidy") {}

  Verdict apply(Document& document, Counters&) const override {
    std::string text = is_plain_ascii(document.text) ? std::move(document.text)
                                                     : text::normalize(document.text, form_);
    document.text = tidy_ ? tidy(text) : std::move(text);
    return keep();
  }

 private:
  // Where a run of characters ends that are kept for certain: graphic ASCII, and U+4000 to U+DFFF.
  static size_t end_of_plain(std::string_view text, size_t at) {
    while (at < text.size()) {
      const auto c = static_cast<unsigned char>(text[at]);
      if (c > 0x20 && c < 0x7F) ++at;
      else if (c >= 0xE4 && c <= 0xED && text.size() - at >= 3) at += 3;  // the text is valid UTF-8
      else break;
    }
    return at;
  }

  static void begin_word(std::string& out, int& line_ends, size_t& spaces, bool& line_begun) {
    if (line_ends > 0 && !out.empty()) out.append(line_ends > 1 ? 2 : 1, '\n');
    if (line_begun) out.append(spaces > 0 ? 1 : 0, ' ');
    else if (!out.empty()) out.append(spaces, ' ');  // indentation
    line_ends = 0, spaces = 0, line_begun = true;
  }

  static std::string tidy(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    int line_ends = 0;
    size_t spaces = 0;
    bool line_begun = false;
    for (size_t at = 0; at < text.size();) {
      if (const size_t end = end_of_plain(text, at); end > at) {
        begin_word(out, line_ends, spaces, line_begun);
        out += text.substr(at, end - at);
        at = end;
        continue;
      }
      const auto point = text::decode_utf8(text, at);
      const std::string_view bytes = text.substr(at, point.size);
      at += point.size;
      if (point.value == '\r') {
        if (at < text.size() && text[at] == '\n') continue;
        ++line_ends, spaces = 0, line_begun = false;
        continue;
      }
      switch (kind_of(point.value)) {
        case Kind::leave_out:
          break;
        case Kind::space:
          ++spaces;
          break;
        case Kind::line_end:
          ++line_ends, spaces = 0, line_begun = false;
          break;
        case Kind::keep:
          begin_word(out, line_ends, spaces, line_begun);
          out += bytes;
      }
    }
    return out;
  }

  text::NormalForm form_;
  bool tidy_;
};

}  // namespace

HELIO_OP(Unicode)

}  // namespace helio::data
