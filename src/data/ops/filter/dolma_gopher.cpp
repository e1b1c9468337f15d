// The Gopher rules as dolma tags them and its Common Crawl recipe applies them.
#include <algorithm>
#include <array>
#include <unordered_map>

#include "core/hash.h"
#include "data/filter_presets.h"
#include "data/op.h"
#include "data/python_text.h"
#include "data/repetition.h"
#include "data/text_lines.h"

namespace helio::data {
namespace {

constexpr std::array<std::string_view, 8> kRequired = {"the", "be",   "to",   "of",
                                                       "and", "that", "have", "with"};

class DolmaGopher final : public Filter {
 public:
  struct Options {
    int64_t min_words = 50, max_words = 100'000;
    double min_median_word_length = 3, max_median_word_length = 10;
    double max_symbol_ratio = 0.1, min_alpha_ratio = 0.8;
    int64_t min_required_words = 2;
    double max_bullet_lines = 0.9, max_ellipsis_lines = 0.3;
    double max_duplicate_lines = 0.3, max_duplicate_line_chars = 0.3;
    std::vector<double> top_n_grams = {0.2, 0.18, 0.16};
    std::vector<double> dup_n_grams = {0.15, 0.14, 0.13, 0.12, 0.11, 0.10};

    void describe(Fields& f) {
      f("min_words", min_words, "Fewest words; 0 switches off.", at_least(0));
      f("max_words", max_words, "Most words; 0 switches off.", at_least(0));
      f("min_median_word_length", min_median_word_length, "Smallest median word length.",
        at_least(0));
      f("max_median_word_length", max_median_word_length, "Largest median word length.",
        at_least(0));
      f("max_symbol_ratio", max_symbol_ratio, "Largest share of words with '#' or '…'.",
        at_least(0));
      f("min_alpha_ratio", min_alpha_ratio, "Smallest share of words with a letter.",
        between(0, 1));
      f("min_required_words", min_required_words,
        "Fewest of the, be, to, of, and, that, have, with; each counts as often as it stands.",
        at_least(0));
      f("max_bullet_lines", max_bullet_lines, "Largest share of lines that begin with * or -.",
        between(0, 1));
      f("max_ellipsis_lines", max_ellipsis_lines, "Largest share of lines that end with '…'.",
        between(0, 1));
      f("max_duplicate_lines", max_duplicate_lines,
        "Largest share of lines that stand there more than once, all of them counted.",
        between(0, 1));
      f("max_duplicate_line_chars", max_duplicate_line_chars,
        "Largest share of their characters in those of words.", at_least(0));
      f("top_n_grams", top_n_grams,
        "Largest shares of characters in the commonest run of 2, 3, 4 words.");
      f("dup_n_grams", dup_n_grams,
        "Largest shares of characters in repeated runs of 5, 6, 7, 8, 9, 10 words.");
    }
  };

  static OpCard card() {
    return {.about = "Drops documents by dolma's reading of the Gopher rules.",
            .source =
                "Soldaini et al. 2024 (dolma 1.6): gopher_v1 tagger, thresholds of its "
                "Common Crawl recipe"};
  }

  explicit DolmaGopher(Options options) : o_(std::move(options)) {
    using Drops = Check::Drops;
    const auto on = limit_or_off;
    checks_ = {{"word_count_low", Drops::below, on(double(o_.min_words))},
               {"word_count_high", Drops::above, on(double(o_.max_words))},
               {"median_word_length_low", Drops::below, on(o_.min_median_word_length)},
               {"median_word_length_high", Drops::above, on(o_.max_median_word_length)},
               {"symbol_to_word_ratio", Drops::above, on(o_.max_symbol_ratio)},
               {"words_with_alpha_character", Drops::below, on(o_.min_alpha_ratio)},
               {"required_word_count", Drops::below, on(double(o_.min_required_words))},
               {"lines_starting_with_bullet_point", Drops::above, on(o_.max_bullet_lines)},
               {"lines_ending_with_ellipsis", Drops::above, on(o_.max_ellipsis_lines)},
               {"duplicate_lines", Drops::above, on(o_.max_duplicate_lines)},
               {"characters_in_duplicate_lines", Drops::above, on(o_.max_duplicate_line_chars)}};
    add_run_checks(checks_, "most_common_", 2, "gram", o_.top_n_grams);
    add_run_checks(checks_, "duplicate_", 5, "grams", o_.dup_n_grams);
  }

  void measure(const Document& document, Figures& figures) const override {
    const std::string_view text = document.text;
    std::vector<std::string_view> words;
    std::vector<int64_t> lengths;
    int64_t chars = 0, symbols = 0, alpha = 0, required = 0;
    text::for_each_word(text, [&](std::string_view word) {
      words.push_back(word);
      lengths.push_back(char_count(word));
      chars += lengths.back();
      symbols += word.find('#') != word.npos || word.find(kEllipsisSign) != word.npos;
      alpha += has_letter(word);
      required += std::find(kRequired.begin(), kRequired.end(), word) != kRequired.end();
    });
    const double n = std::max<double>(double(words.size()), 1);
    if (!figures.next(double(words.size())) || !figures.next(double(words.size()))) return;
    const double median = median_of(lengths);
    if (!figures.next(median) || !figures.next(median)) return;
    if (!figures.next(double(symbols) / n)) return;
    if (!figures.next(double(alpha) / n)) return;
    if (!figures.next(double(required))) return;
    if (!lines(text, double(std::max<int64_t>(chars, 1)), figures)) return;
    const WordRuns runs(words);
    for (size_t i = 0; i < o_.top_n_grams.size(); ++i)
      if (!figures.next(double(runs.top_letters(i + 2)) / double(std::max<int64_t>(chars, 1))))
        return;
    for (size_t i = 0; i < o_.dup_n_grams.size(); ++i)
      if (!figures.next(runs.share_in_repeated(i + 5))) return;
  }

 private:
  static bool has_letter(std::string_view word) {
    for (size_t at = 0; at < word.size();) {
      const auto point = text::decode_utf8(word, at);
      if (text::is_letter(point.value)) return true;
      at += point.size;
    }
    return false;
  }

  static double median_of(std::vector<int64_t> values) {
    if (values.empty()) return 0;
    const auto middle = values.begin() + ptrdiff_t(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    if (values.size() % 2) return double(*middle);
    return double(*middle + *std::max_element(values.begin(), middle)) / 2;
  }

  static bool lines(std::string_view text, double chars, Figures& figures) {
    struct Kind {
      int64_t count = 0, chars = 0;
    };
    std::unordered_map<std::string_view, Kind> kinds;
    int64_t all = 0, bullets = 0, ellipses = 0, repeated = 0, repeated_chars = 0;
    for_each_line(text, [&](std::string_view line) {
      ++all;
      bullets += line.starts_with('*') || line.starts_with('-');
      ellipses += line.ends_with(kEllipsisSign);
      Kind& kind = kinds[line];
      if (kind.count++ == 0) kind.chars = char_count(line);
      else
        repeated += kind.count == 2 ? 2 : 1,
            repeated_chars += (kind.count == 2 ? 2 : 1) * kind.chars;
    });
    const double n = double(all);
    return figures.next(double(bullets) / n) && figures.next(double(ellipses) / n) &&
           figures.next(double(repeated) / n) && figures.next(double(repeated_chars) / chars);
  }

  Options o_;
};

}  // namespace

HELIO_OP(DolmaGopher)

}  // namespace helio::data
