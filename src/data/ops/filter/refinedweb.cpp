// RefinedWeb's document rules as DCLM rebuilt them for its baseline.
#include <algorithm>
#include <array>
#include <unordered_map>

#include "data/filter_presets.h"
#include "data/op.h"
#include "data/python_text.h"
#include "data/repetition.h"
#include "data/words/words.h"

namespace helio::data {
namespace {

constexpr std::array<std::string_view, 8> kStopWords = {"the", "be",   "to",   "of",
                                                        "and", "that", "have", "with"};
constexpr std::array<std::string_view, 4> kBullets = {"\xE2\x97\x8F", kBulletSign, "*", "-"};
constexpr std::array<std::string_view, 3> kEllipses = {"...", ". . .", kEllipsisSign};

bool begins_alnum(std::string_view word) {
  const char32_t c = text::decode_utf8(word, 0).value;
  return text::is_letter(c) || text::is_number(c);
}

class RefinedWeb final : public Filter {
 public:
  struct Options {
    int64_t min_words = 50, max_words = 100'000;
    double min_word_length = 3, max_word_length = 10;
    double max_symbol_ratio = 0.1, max_bullet_lines = 0.9, max_ellipsis_lines = 0.3;
    double max_non_alpha_words = 0.2;
    int64_t min_stop_words = 2;
    double max_line_share = 0.3, max_paragraph_share = 0.3;
    double max_line_char_share = 0.2, max_paragraph_char_share = 0.2;
    std::vector<double> top_n_grams = {0.2, 0.18, 0.16};
    std::vector<double> dup_n_grams = {0.15, 0.14, 0.13, 0.12, 0.11, 0.10};
    std::string words = "uax29";

    void describe(Fields& f) {
      f("words", words,
        "How the words of runs are cut; those that begin with punctuation are left "
        "out. DCLM's are Unicode's.",
        words_rule());
      f("min_words", min_words, "Fewest words; 0 switches off.", at_least(0));
      f("max_words", max_words, "Most words; 0 switches off.", at_least(0));
      f("min_word_length", min_word_length, "Smallest mean word length.", at_least(0));
      f("max_word_length", max_word_length, "Largest mean word length.", at_least(0));
      f("max_symbol_ratio", max_symbol_ratio, "Most '#' and ellipses a word.", at_least(0));
      f("max_bullet_lines", max_bullet_lines, "Largest share of lines that are list items.",
        between(0, 1));
      f("max_ellipsis_lines", max_ellipsis_lines, "Largest share of lines that end in an ellipsis.",
        between(0, 1));
      f("max_non_alpha_words", max_non_alpha_words, "Largest share of words without a letter.",
        between(0, 1));
      f("min_stop_words", min_stop_words, "Fewest of the, be, to, ... each as often as it stands.",
        at_least(0));
      f("max_line_share", max_line_share,
        "Largest share of lines that stand there more than once, all of them counted.",
        between(0, 1));
      f("max_paragraph_share", max_paragraph_share, "The same of paragraphs.", between(0, 1));
      f("max_line_char_share", max_line_char_share, "Largest share of characters in such lines.",
        between(0, 1));
      f("max_paragraph_char_share", max_paragraph_char_share, "The same of paragraphs.",
        between(0, 1));
      f("top_n_grams", top_n_grams,
        "Largest shares of characters in the commonest run of 2, 3, 4 words.");
      f("dup_n_grams", dup_n_grams,
        "Largest shares of characters in repeated runs of 5, 6, 7, 8, 9, 10 words.");
    }
  };

  static OpCard card() {
    return {.about = "Drops documents by RefinedWeb's rules for length, symbols and repetition.",
            .source =
                "Penedo et al. 2023 (RefinedWeb) as in DCLM's dclm_baseline_refinedweb "
                "(its document rules)"};
  }

  explicit RefinedWeb(Options options) : o_(std::move(options)), words_(make_words(o_.words)) {
    using Drops = Check::Drops;
    const auto on = limit_or_off;
    checks_ = {{"page_length_low", Drops::below, on(double(o_.min_words))},
               {"page_length_high", Drops::above, on(double(o_.max_words))},
               {"word_length_low", Drops::below, on(o_.min_word_length)},
               {"word_length_high", Drops::above, on(o_.max_word_length)},
               {"symbol_ratio", Drops::above, on(o_.max_symbol_ratio)},
               {"bullet_count", Drops::above, on(o_.max_bullet_lines)},
               {"ellipsis_count", Drops::above, on(o_.max_ellipsis_lines)},
               {"alphabetic_word_ratio", Drops::above, on(o_.max_non_alpha_words)},
               {"stop_words", Drops::below, on(double(o_.min_stop_words))},
               {"repeated_lines", Drops::above, on(o_.max_line_share)},
               {"repeated_paragraphs", Drops::above, on(o_.max_paragraph_share)},
               {"repeated_line_chars", Drops::above, on(o_.max_line_char_share)},
               {"repeated_paragraph_chars", Drops::above, on(o_.max_paragraph_char_share)}};
    add_run_checks(checks_, "top_", 2, "_gram", o_.top_n_grams);
    add_run_checks(checks_, "repeated_", 5, "_grams", o_.dup_n_grams);
  }

  void measure(const Document& document, Figures& figures) const override {
    const std::string_view text = document.text;
    const double length = double(page_length(text));
    if (!figures.next(length) || !figures.next(length)) return;
    int64_t words = 0, chars = 0, non_alpha = 0, stops = 0;
    text::for_each_word(text, [&](std::string_view word) {
      ++words;
      chars += char_count(word);
      non_alpha += !has_letter(word);
      stops += is_stop_word(word);
    });
    const double n = double(words);  // 0 only where the page length is 0 as well
    const double mean = words == 0 ? 0 : double(chars) / n;
    if (!figures.next(mean) || !figures.next(mean)) return;
    const int64_t symbols = count_of(text, "#") + count_of(text, "...") + count_of(text, ". . .") +
                            count_of(text, kEllipsisSign);
    if (!figures.next(double(symbols) / n)) return;
    const auto lines = segments(text, "\n");
    if (!figures.next(
            share(lines, kBullets, [](auto line, auto s) { return line.starts_with(s); })))
      return;
    if (!figures.next(share(lines, kEllipses, [](auto line, auto s) { return line.ends_with(s); })))
      return;
    if (!figures.next(double(non_alpha) / n)) return;
    if (!figures.next(double(stops))) return;
    const Repeated by_line = repeated(lines), by_paragraph = repeated(segments(text, "\n\n"));
    if (!figures.next(by_line.share) || !figures.next(by_paragraph.share)) return;
    if (!figures.next(by_line.chars) || !figures.next(by_paragraph.chars)) return;
    std::vector<std::string_view> counted;
    for (const std::string_view word : words_of(*words_, text))
      if (begins_alnum(word)) counted.push_back(word);
    const WordRuns runs(counted);
    const double letters = double(std::max<int64_t>(runs.letters(), 1));
    for (size_t i = 0; i < o_.top_n_grams.size(); ++i)
      if (!figures.next(double(runs.longest_top_letters(i + 2)) / letters)) return;
    for (size_t i = 0; i < o_.dup_n_grams.size(); ++i)
      if (!figures.next(double(runs.letters_in_repeated(i + 5)) / letters)) return;
  }

 private:
  using Pieces = std::vector<std::string_view>;

  // Words between ASCII white space (fastText's) that begin with a letter or digit.
  static int64_t page_length(std::string_view text) {
    constexpr std::string_view kSpaces(" \n\r\t\v\f\0", 7);
    int64_t count = 0;
    for (size_t at = text.find_first_not_of(kSpaces); at != text.npos;
         at = text.find_first_not_of(kSpaces, at)) {
      const size_t end = std::min(text.find_first_of(kSpaces, at), text.size());
      count += begins_alnum(text.substr(at, end - at));
      at = end;
    }
    return count;
  }

  static bool has_letter(std::string_view word) {
    for (size_t at = 0; at < word.size();) {
      const auto point = text::decode_utf8(word, at);
      if (text::is_letter(point.value)) return true;
      at += point.size;
    }
    return false;
  }

  static bool is_stop_word(std::string_view word) {
    if (word.size() < 2 || word.size() > 4) return false;
    std::string lower(word);
    for (char& c : lower)
      if (c >= 'A' && c <= 'Z') c = char(c + 0x20);
    return std::find(kStopWords.begin(), kStopWords.end(), lower) != kStopWords.end();
  }

  // What stands between separators, trimmed, without what is blank.
  static Pieces segments(std::string_view text, std::string_view separator) {
    Pieces pieces;
    for (size_t at = 0; at <= text.size();) {
      const size_t end = std::min(text.find(separator, at), text.size());
      const std::string_view piece = text::trim(text.substr(at, end - at));
      if (!piece.empty()) pieces.push_back(piece);
      at = end + separator.size();
    }
    return pieces;
  }

  template <class Marks, class Holds>
  static double share(const Pieces& lines, const Marks& marks, Holds&& holds) {
    const auto marked = std::count_if(lines.begin(), lines.end(), [&](std::string_view line) {
      return std::any_of(marks.begin(), marks.end(),
                         [&](std::string_view mark) { return holds(line, mark); });
    });
    return lines.empty() ? 0 : double(marked) / double(lines.size());
  }

  struct Repeated {
    double share = 0, chars = 0;
  };
  static Repeated repeated(const Pieces& pieces) {
    if (pieces.size() < 2) return {};
    std::unordered_map<std::string_view, int64_t> counts;
    for (const std::string_view piece : pieces) ++counts[piece];
    int64_t more = 0, chars = 0, all = 0;
    for (const auto& [piece, count] : counts) {
      const int64_t size = char_count(piece) * count;
      all += size;
      if (count > 1) more += count, chars += size;
    }
    return {double(more) / double(pieces.size()), double(chars) / double(all)};
  }

  Options o_;
  std::shared_ptr<const Words> words_;
};

}  // namespace

HELIO_OP(RefinedWeb)

}  // namespace helio::data
