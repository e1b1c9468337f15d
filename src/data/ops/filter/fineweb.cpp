// FineWeb's own rules, decision for decision as datatrove has them.
#include <algorithm>

#include "data/filter_presets.h"
#include "data/op.h"
#include "data/punctuation.h"
#include "data/python_text.h"
#include "data/repetition.h"
#include "data/text_lines.h"
#include "data/words/words.h"

namespace helio::data {
namespace {

class FineWeb final : public Filter {
 public:
  struct Options {
    double line_punct_thr = 0.12;
    bool line_punct_exclude_zero = false;
    double short_line_thr = 0.67;
    int64_t short_line_length = 30;
    double char_duplicates_ratio = 0.01;
    double new_line_ratio = 0.3;
    std::string words = "whitespace";
    std::string preset = "english-whitespace";

    void choose() {
      begin_preset(*this);
      if (preset.starts_with("english")) return;
      line_punct_thr = 0.062;
      short_line_thr = 0;
      char_duplicates_ratio = 0.1;
      new_line_ratio = preset == "korean-eojeol" ? 0.431 : preset == "korean-mecab" ? 0.202 : 0.196;
    }

    void describe(Fields& f) {
      read_preset(f, preset, [this] { choose(); });
      f("words", words, kWordsHelp, words_rule());
      f("line_punct_thr", line_punct_thr,
        "Smallest share of lines that end with the end of a sentence; 0 switches off.",
        between(0, 1));
      f("line_punct_exclude_zero", line_punct_exclude_zero,
        "Whether a document none of whose lines ends so is kept.");
      f("short_line_thr", short_line_thr, "Largest share of short lines; 0 switches off.",
        at_least(0));
      f("short_line_length", short_line_length, "Characters of a line that is still short.",
        at_least(0));
      f("char_duplicates_ratio", char_duplicates_ratio,
        "Largest share of characters in repeated lines; 0 switches off.", at_least(0));
      f("new_line_ratio", new_line_ratio, "Most line breaks a word; 0 switches off.", at_least(0));
    }
  };

  static OpCard card() {
    return {.about =
                "Drops documents by how their lines end, short lines, repeated lines and line "
                "breaks.",
            .source = "Penedo et al. 2024 (FineWeb) as in datatrove 0.10.1 FineWebQualityFilter"};
  }

  explicit FineWeb(Options options) : o_(std::move(options)), words_(make_words(o_.words)) {
    using Drops = Check::Drops;
    checks_ = {{"empty", Drops::below, 1},
               {"line_punct_ratio", Drops::below, limit_or_off(o_.line_punct_thr)},
               {"short_line_ratio", Drops::above, limit_or_off(o_.short_line_thr)},
               {"char_dup_ratio", Drops::above, limit_or_off(o_.char_duplicates_ratio)},
               {"list_ratio", Drops::above, limit_or_off(o_.new_line_ratio)}};
  }

  void measure(const Document& document, Figures& figures) const override {
    const std::string_view text = document.text;
    std::vector<std::string_view> lines;
    for_each_line(text, [&](std::string_view line) {
      if (!text::trim(line).empty()) lines.push_back(line);
    });
    if (!figures.next(double(lines.size())) || lines.empty()) return;
    int64_t ended = 0, brief = 0;
    for (const std::string_view line : lines) {
      ended += is_terminal_punctuation(last_char(line));
      brief += is_short(line);
    }
    const double n = double(lines.size());
    const bool excused = ended == 0 && o_.line_punct_exclude_zero;
    if (excused ? !figures.skip() : !figures.next(double(ended) / n)) return;
    if (!figures.next(double(brief) / n)) return;
    const int64_t breaks = std::count(text.begin(), text.end(), '\n');
    const double chars = double(char_count(text) - breaks);
    if (!figures.next(double(repeated_of(lines).chars) / chars)) return;
    figures.next(double(breaks) / double(words_of(*words_, text).size()));
  }

 private:
  bool is_short(std::string_view line) const {
    if (int64_t(line.size()) <= o_.short_line_length) return true;
    if (int64_t(line.size()) > 4 * o_.short_line_length) return false;
    return char_count(line) <= o_.short_line_length;
  }

  Options o_;
  std::shared_ptr<const Words> words_;
};

}  // namespace

HELIO_OP(FineWeb)

}  // namespace helio::data
