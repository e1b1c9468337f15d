// The repetition rules of the Gopher paper, decision for decision as datatrove has them.
#include <unordered_set>

#include "core/hash.h"
#include "data/op.h"
#include "data/repetition.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

class GopherRepetition final : public Filter {
 public:
  struct Options {
    double dup_para_frac = 0.3, dup_para_char_frac = 0.2;
    double dup_line_frac = 0.3, dup_line_char_frac = 0.2;
    std::vector<double> top_n_grams = {0.2, 0.18, 0.16};
    std::vector<double> dup_n_grams = {0.15, 0.14, 0.13, 0.12, 0.11, 0.10};
    int64_t min_top_count = 1;

    void describe(Fields& f) {
      f("dup_para_frac", dup_para_frac, "Largest share of repeated paragraphs; 0 switches off.",
        between(0, 1));
      f("dup_para_char_frac", dup_para_char_frac, "Largest share of characters in them.",
        between(0, 1));
      f("dup_line_frac", dup_line_frac, "Largest share of repeated lines; 0 switches off.",
        between(0, 1));
      f("dup_line_char_frac", dup_line_char_frac, "Largest share of characters in them.",
        between(0, 1));
      f("top_n_grams", top_n_grams,
        "Largest shares of characters in the commonest run of 2, 3, 4 words.");
      f("dup_n_grams", dup_n_grams,
        "Largest shares of characters in repeated runs of 5, 6, 7, 8, 9, 10 words.");
      f("min_top_count", min_top_count,
        "The commonest run counts from so many times on. 1 is datatrove's rule, which drops short "
        "texts for one long run that never repeats; 2 does not.",
        at_least(1));
    }
  };

  static OpCard card() {
    return {.about =
                "Drops documents that repeat themselves in paragraphs, lines or runs of words. "
                "Words are runs without white space.",
            .source =
                "Rae et al. 2021 (Gopher), table A1, as in datatrove 0.10.1 "
                "GopherRepetitionFilter"};
  }

  explicit GopherRepetition(Options options) : o_(std::move(options)) {}

  Verdict judge(const Document& document) const override {
    const std::string_view text = document.text;
    if (text.empty()) return drop("empty", 0);
    const double chars = double(text::count_code_points(text));

    const Repeats paragraphs = repeated_pieces(text::trim(text), 2);
    if (const double x = double(paragraphs.pieces) / double(paragraphs.of);
        o_.dup_para_frac > 0 && x > o_.dup_para_frac)
      return drop("dup_para_frac", x);
    if (const double x = double(paragraphs.chars) / chars;
        o_.dup_para_char_frac > 0 && x > o_.dup_para_char_frac)
      return drop("dup_para_char_frac", x);

    const Repeats lines = repeated_pieces(text, 1);
    if (const double x = double(lines.pieces) / double(lines.of);
        o_.dup_line_frac > 0 && x > o_.dup_line_frac)
      return drop("dup_line_frac", x);
    if (const double x = double(lines.chars) / chars;
        o_.dup_line_char_frac > 0 && x > o_.dup_line_char_frac)
      return drop("dup_line_char_frac", x);

    const WordRuns runs(text);
    for (size_t i = 0; i < o_.top_n_grams.size(); ++i) {
      const size_t n = i + 2;
      const double x = double(runs.top_chars(n, o_.min_top_count)) / chars;
      if (x > o_.top_n_grams[i]) return drop("top_" + std::to_string(n) + "_gram", x);
    }
    for (size_t i = 0; i < o_.dup_n_grams.size(); ++i) {
      const size_t n = i + 5;
      const double x = double(runs.repeated_chars(n)) / chars;
      if (x > o_.dup_n_grams[i]) return drop("duplicated_" + std::to_string(n) + "_n_grams", x);
    }
    return keep();
  }

 private:
  Options o_;
};

}  // namespace

HELIO_OP(GopherRepetition)

}  // namespace helio::data
