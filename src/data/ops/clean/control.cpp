// Takes out what cannot be seen and is no white space.
#include "data/op.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

class Control final : public Map {
 public:
  struct Options {
    std::string invisible = "remove";
    void describe(Fields& f) {
      f("invisible", invisible,
        "Characters without width or ink: byte order marks, soft hyphens, direction marks, "
        "zero-width spaces; joiners always stay.",
        one_of({"remove", "keep"}));
    }
  };

  static OpCard card() {
    return {.about =
                "Removes control characters; words that only one of them kept apart get a space, "
                "and tabs and line ends stay.",
            .source =
                "Dataverse cleaning___char___remove_unprintable, which also deletes tabs and "
                "carriage returns and joins the words around them"};
  }

  explicit Control(const Options& options) : remove_invisible_(options.invisible == "remove") {}

  Verdict apply(Document& document, Counters& counters) const override {
    const std::string& text = document.text;
    std::string out;
    bool changed = false, apart = false;  // a control stood here
    for (size_t at = 0; at < text.size();) {
      const auto point = text::decode_utf8(text, at);
      const char32_t c = point.value;
      if (c == '\r') {
        // One kind of line end.
        if (!changed) out.assign(text, 0, at), changed = true;
        if (at + 1 >= text.size() || text[at + 1] != '\n') out += '\n';
        apart = false;
        ++at;
        continue;
      }
      const bool control = (c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7F && c <= 0x9F);
      if (control || (remove_invisible_ && is_invisible(c))) {
        if (!changed) out.assign(text, 0, at), changed = true;
        // A zero-width space is a place to break; the others stand inside words.
        apart = apart || control || c == 0x200B;
      } else if (changed) {
        if (apart && !out.empty() && !is_space(out.back()) && !text::is_python_space(c)) out += ' ';
        apart = false;
        out.append(text, at, point.size);
      }
      at += point.size;
    }
    if (changed) {
      ++counters["control.documents"];
      document.text = std::move(out);
    }
    return keep();
  }

 private:
  static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t'; }
  static bool is_invisible(char32_t c) {
    return c == 0xAD || c == 0xFEFF || c == 0x2060 || c == 0x200B || c == 0x200E || c == 0x200F ||
           (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x115F ||
           c == 0x1160 || (c >= 0xFFF9 && c <= 0xFFFB);
  }

  bool remove_invisible_;
};

}  // namespace

HELIO_OP(Control)

}  // namespace helio::data
