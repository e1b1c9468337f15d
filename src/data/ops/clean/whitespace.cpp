// Runs of spaces become one space.
#include "data/op.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

class Whitespace final : public Map {
 public:
  struct Options {
    int64_t max_blank_lines = -1;
    std::string line_ends = "keep";
    void describe(Fields& f) {
      f("max_blank_lines", max_blank_lines, "Most blank lines in a row; -1 keeps all.",
        at_least(-1));
      f("line_ends", line_ends, "Spaces around line ends: kept (as one), or taken away.",
        one_of({"keep", "trim"}));
    }
  };

  static OpCard card() {
    return {.about =
                "Takes white space from both ends and makes one space of every run of white space "
                "within a line.",
            .source = "Dataverse cleaning___char___normalize_whitespace"};
  }

  explicit Whitespace(const Options& options)
      : blank_lines_(options.max_blank_lines), trim_(options.line_ends == "trim") {}

  Verdict apply(Document& document, Counters&) const override {
    const std::string_view text = text::trim(document.text);
    std::string out;
    out.reserve(text.size());
    int64_t line_ends = 0;  // since the last character that is no white space
    for (size_t at = 0; at < text.size();) {
      const auto point = text::decode_utf8(text, at);
      const std::string_view bytes = text.substr(at, point.size);
      at += point.size;
      if (point.value == '\n') {
        if (blank_lines_ >= 0 && line_ends > blank_lines_) {
          while (!out.empty() && out.back() == ' ') out.pop_back();
          continue;
        }
        if (trim_)
          while (!out.empty() && out.back() == ' ') out.pop_back();
        ++line_ends;
        out += '\n';
      } else if (point.value != '\r' && text::is_python_space(point.value)) {
        const char last = out.empty() ? '\n' : out.back();
        if (last == ' ' || (trim_ && last == '\n')) continue;
        out += ' ';
      } else {
        if (point.value != '\r') line_ends = 0;
        out += bytes;
      }
    }
    if (out != document.text) document.text = std::move(out);
    return keep();
  }

 private:
  int64_t blank_lines_;
  bool trim_;
};

}  // namespace

HELIO_OP(Whitespace)

}  // namespace helio::data
