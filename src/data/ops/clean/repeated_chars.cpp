// Shortens long runs of one character.
#include "data/op.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

class RepeatedChars final : public Map {
 public:
  struct Options {
    int64_t max_run = 3;
    std::string rulers = "keep";
    void describe(Fields& f) {
      f("max_run", max_run, "Longer runs of one character are cut to so many.", between(1, 1000));
      f("rulers", rulers,
        "Lines and table borders of '-', '=', '_', '*', '#', '~', '+', '.' and '|': kept, or cut.",
        one_of({"keep", "cut"}));
    }
  };

  static OpCard card() {
    return {.about =
                "Cuts runs of one letter or sign (!!!!!!, 하하하하하 is two letters and stays); "
                "digits and white space are left alone."};
  }

  explicit RepeatedChars(const Options& options)
      : max_run_(options.max_run), keep_rulers_(options.rulers == "keep") {}

  Verdict apply(Document& document, Counters& counters) const override {
    const std::string& text = document.text;
    std::string out;
    bool changed = false;
    int64_t run = 0, cut = 0;
    char32_t last = 0;
    for (size_t at = 0; at < text.size();) {
      const auto point = text::decode_utf8(text, at);
      run = point.value == last ? run + 1 : 1;
      last = point.value;
      if (run > max_run_ && shortens(point.value)) {
        if (!changed) out.assign(text, 0, at), changed = true;
        ++cut;
      } else if (changed) {
        out.append(text, at, point.size);
      }
      at += point.size;
    }
    if (changed) {
      counters["repeated_chars.cut"] += cut;
      document.text = std::move(out);
    }
    return keep();
  }

 private:
  bool shortens(char32_t c) const {
    if (text::is_python_space(c) || text::is_number(c)) return false;
    if (keep_rulers_ && c < 0x80 &&
        std::string_view("-=_*#~+.|").find(char(c)) != std::string_view::npos)
      return false;
    return !(keep_rulers_ && c >= 0x2500 && c <= 0x259F);  // box drawing
  }

  int64_t max_run_;
  bool keep_rulers_;
};

}  // namespace

HELIO_OP(RepeatedChars)

}  // namespace helio::data
