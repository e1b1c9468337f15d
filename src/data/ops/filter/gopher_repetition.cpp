// The repetition rules of the Gopher paper, decision for decision as datatrove has them.
#include "data/filter_presets.h"
#include "data/op.h"
#include "data/python_text.h"
#include "data/repetition.h"
#include "data/words/words.h"

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
    std::string words = "whitespace";
    std::string preset = "english-whitespace";

    void choose() {
      begin_preset(*this);
      if (preset.starts_with("english")) return;
      dup_line_frac = 0.374;
      dup_para_frac = dup_para_char_frac = dup_line_char_frac = 0;
      top_n_grams = {0.282, 0.228, 0.185};
      dup_n_grams = {0.201, 0.184, 0.168, 0.154, 0.14, 0.127};
      // By tools/calibrate_korean.py, docs/data-filters.md.
      if (preset == "korean-mecab") {
        top_n_grams = {0.3, 0.264, 0.211};
        dup_n_grams = {0.193, 0.177, 0.169, 0.165, 0.147, 0.14};
      } else if (preset == "korean-eojeol") {
        top_n_grams = {0.199, 0.218, 0.178};
        dup_n_grams = {0.0381, 0.0308, 0.0293, 0.0279, 0.0167, 0.0134};
      }
    }

    void describe(Fields& f) {
      read_preset(f, preset, [this] { choose(); });
      f("words", words, kWordsHelp, words_rule());
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
    return {
        .about = "Drops documents that repeat themselves in paragraphs, lines or runs of words.",
        .source =
            "Rae et al. 2021 (Gopher), table A1, as in datatrove 0.10.1 "
            "GopherRepetitionFilter"};
  }

  explicit GopherRepetition(Options options)
      : o_(std::move(options)), words_(make_words(o_.words)) {
    using Drops = Check::Drops;
    const auto on = limit_or_off;
    checks_ = {{"empty", Drops::below, 1},
               {"dup_para_frac", Drops::above, on(o_.dup_para_frac)},
               {"dup_para_char_frac", Drops::above, on(o_.dup_para_char_frac)},
               {"dup_line_frac", Drops::above, on(o_.dup_line_frac)},
               {"dup_line_char_frac", Drops::above, on(o_.dup_line_char_frac)}};
    add_run_checks(checks_, "top_", 2, "_gram", o_.top_n_grams);
    add_run_checks(checks_, "duplicated_", 5, "_n_grams", o_.dup_n_grams);
  }

  void measure(const Document& document, Figures& figures) const override {
    const std::string_view text = document.text;
    const double chars = double(char_count(text));
    if (!figures.next(chars) || chars == 0) return;
    const Repeats paragraphs = repeated_pieces(text::trim(text), 2);
    if (!figures.next(double(paragraphs.pieces) / double(paragraphs.of))) return;
    if (!figures.next(double(paragraphs.chars) / chars)) return;
    const Repeats lines = repeated_pieces(text, 1);
    if (!figures.next(double(lines.pieces) / double(lines.of))) return;
    if (!figures.next(double(lines.chars) / chars)) return;
    const WordRuns runs(words_of(*words_, text));
    for (size_t i = 0; i < o_.top_n_grams.size(); ++i)
      if (!figures.next(double(runs.top_chars(i + 2, o_.min_top_count)) / chars)) return;
    for (size_t i = 0; i < o_.dup_n_grams.size(); ++i)
      if (!figures.next(double(runs.repeated_chars(i + 5)) / chars)) return;
  }

 private:
  Options o_;
  std::shared_ptr<const Words> words_;
};

}  // namespace

HELIO_OP(GopherRepetition)

}  // namespace helio::data
