// One form for digits.
#include "data/op.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

// Decimal digits stand in tens, in order of their value.
int digit_value(char32_t c) {
  if (c < 0x80) return int(c) - '0';
  // Five tens of mathematical digits touch one another; all others have no digit before their 0.
  if (c >= 0x1D7CE && c <= 0x1D7FF) return int((c - 0x1D7CE) % 10);
  int value = 0;
  while (value < 9 && text::is_decimal_digit(c - 1 - char32_t(value))) ++value;
  return value;
}

class Numbers final : public Map {
 public:
  struct Options {
    int64_t assign = -1;
    void describe(Fields& f) {
      f("assign", assign,
        "Digit that stands for every digit, so that numbers keep their shape alone; -1 keeps their "
        "values.",
        between(-1, 9));
    }
  };

  static OpCard card() {
    return {
        .about =
            "Writes the digits of all scripts (full-width, Arabic-Indic, ...) as ASCII digits, or "
            "every digit as one.",
        .source = "Dataverse cleaning___number___normalize, which does the second with 0"};
  }

  explicit Numbers(const Options& options) : assign_(options.assign) {}

  Verdict apply(Document& document, Counters&) const override {
    std::string out;
    bool changed = false;
    const std::string& text = document.text;
    for (size_t at = 0; at < text.size();) {
      const auto point = text::decode_utf8(text, at);
      const bool ascii = point.value >= '0' && point.value <= '9';
      const bool digit = ascii || (point.value >= 0x80 && text::is_decimal_digit(point.value));
      if (digit && (!ascii || assign_ >= 0)) {
        if (!changed) out.assign(text, 0, at), changed = true;
        out += char('0' + (assign_ >= 0 ? int(assign_) : digit_value(point.value)));
      } else if (changed) {
        out.append(text, at, point.size);
      }
      at += point.size;
    }
    if (changed) document.text = std::move(out);
    return keep();
  }

 private:
  int64_t assign_;
};

}  // namespace

HELIO_OP(Numbers)

}  // namespace helio::data
