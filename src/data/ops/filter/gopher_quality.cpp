// The quality rules of the Gopher paper, decision for decision as datatrove has them.
#include <algorithm>
#include <unordered_map>

#include "data/filter_presets.h"
#include "data/op.h"
#include "data/punctuation.h"
#include "data/python_text.h"
#include "data/words/words.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

// Of a word in one pass: characters, whether any is no symbol, whether any is a letter.
struct WordFacts {
  int64_t chars = 0;
  bool beyond_symbols = false, letter = false;
};

WordFacts facts_of(std::string_view word) {
  WordFacts facts;
  for (size_t at = 0; at < word.size();) {
    const auto point = text::decode_utf8(word, at);
    at += point.size;
    ++facts.chars;
    if (!facts.beyond_symbols) facts.beyond_symbols = !is_symbol(point.value);
    if (!facts.letter) {
      const char32_t c = point.value;
      facts.letter = c < 0x80 ? ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
                              : is_plain_hangul(c) || text::is_letter(c);
    }
  }
  return facts;
}

struct LineFacts {
  int64_t lines = 0, bullets = 0, ellipses = 0;
};

LineFacts line_facts(std::string_view text) {
  LineFacts facts;
  for_each_python_line(text, [&](std::string_view line) {
    ++facts.lines;
    line = text::trim(line);
    facts.bullets += line.starts_with(kBulletSign) || line.starts_with('-');
    facts.ellipses += line.ends_with("...") || line.ends_with(kEllipsisSign);
  });
  return facts;
}

const std::vector<std::string> kEnglishStopWords = {"the", "be",   "to",   "of",
                                                    "and", "that", "have", "with"};
// The commonest morphemes of the Korean Wikipedia, as FineWeb-2 has them.
const std::vector<std::string> kKoreanMorphemes = {"의", "다", "이",   "는", "에", "을", "한",
                                                   "년", "하", "은",   "를", "했", "고", "에서",
                                                   "가", "있", "으로", "인", "월", "로", "되"};

// The 어절 that stand in the most documents, by tools/calibrate_korean.py.
const std::vector<std::string> kCommonEojeol = {
    "수",   "이",   "있는", "및",   "있습니다", "한",   "또는", "하는", "그", "합니다", "대한",
    "경우", "다음", "모든", "다른", "같은",     "사용", "따라", "중",   "된", "각",     "때"};

class GopherQuality final : public Filter {
 public:
  struct Options {
    int64_t min_doc_words = 50, max_doc_words = 100'000;
    double min_avg_word_length = 3, max_avg_word_length = 10;
    double max_symbol_word_ratio = 0.1;
    double max_bullet_lines_ratio = 0.9, max_ellipsis_lines_ratio = 0.3;
    double max_non_alpha_words_ratio = 0.8;
    int64_t min_stop_words = 2;
    std::vector<std::string> stop_words = kEnglishStopWords;
    std::string words = "whitespace";
    std::string preset = "english-whitespace";

    void choose() {
      begin_preset(*this);
      if (preset.starts_with("english")) return;
      min_avg_word_length = 1, max_avg_word_length = 6;
      max_non_alpha_words_ratio = 0.791;
      stop_words = kKoreanMorphemes;
      // By tools/calibrate_korean.py, docs/data-filters.md.
      if (preset == "korean-mecab") {
        min_doc_words = 47, max_doc_words = 94'000;
        min_avg_word_length = 1.01, max_avg_word_length = 6.05;
        max_non_alpha_words_ratio = 0.769;
      } else if (preset == "korean-eojeol") {
        min_doc_words = 24, max_doc_words = 48'700;
        min_avg_word_length = 2.05, max_avg_word_length = 12.3;
        max_non_alpha_words_ratio = 0.941;
        // Functions are endings here: a tenth of good documents have no common word at all.
        min_stop_words = 0;
        stop_words = kCommonEojeol;
      }
    }

    void describe(Fields& f) {
      read_preset(f, preset, [this] { choose(); });
      f("words", words, kWordsHelp, words_rule());
      f("min_doc_words", min_doc_words, "Fewest words that are not symbols alone; 0 switches off.",
        at_least(0));
      f("max_doc_words", max_doc_words, "Most of them; 0 switches off.", at_least(0));
      f("min_avg_word_length", min_avg_word_length, "Smallest mean word length in characters.",
        at_least(0));
      f("max_avg_word_length", max_avg_word_length, "Largest mean word length; 0 switches off.",
        at_least(0));
      f("max_symbol_word_ratio", max_symbol_word_ratio, "Most '#', or ellipses, a word.",
        at_least(0));
      f("max_bullet_lines_ratio", max_bullet_lines_ratio,
        "Largest share of lines that are list items.", between(0, 1));
      f("max_ellipsis_lines_ratio", max_ellipsis_lines_ratio,
        "Largest share of lines that end in an ellipsis.", between(0, 1));
      f("max_non_alpha_words_ratio", max_non_alpha_words_ratio,
        "Smallest share of words with a letter (datatrove's name for it).", between(0, 1));
      f("min_stop_words", min_stop_words, "Fewest different stop words; 0 switches off.",
        at_least(0));
      f("stop_words", stop_words, "The stop words, compared as they stand.");
    }
  };

  static OpCard card() {
    return {.about =
                "Drops documents by length, word length, symbols, bullets, ellipses, letters and "
                "stop words.",
            .source = "Rae et al. 2021 (Gopher) as in datatrove 0.10.1 GopherQualityFilter"};
  }

  explicit GopherQuality(Options options) : o_(std::move(options)), words_(make_words(o_.words)) {
    for (const std::string& word : o_.stop_words) {
      stop_words_.emplace(word, stop_words_.size());
      longest_stop_word_ = std::max(longest_stop_word_, word.size());
    }
    using Drops = Check::Drops;
    const auto on = limit_or_off;
    checks_ = {{"gopher_short_doc", Drops::below, on(double(o_.min_doc_words))},
               {"gopher_long_doc", Drops::above, on(double(o_.max_doc_words))},
               {"gopher_short_doc", Drops::below, 1},  // no word at all: datatrove divides by zero
               {"gopher_below_avg_threshold", Drops::below, on(o_.min_avg_word_length)},
               {"gopher_above_avg_threshold", Drops::above, on(o_.max_avg_word_length)},
               {"gopher_too_many_hashes", Drops::above, on(o_.max_symbol_word_ratio)},
               {"gopher_too_many_ellipsis", Drops::above, on(o_.max_symbol_word_ratio)},
               {"gopher_too_many_bullets", Drops::above, on(o_.max_bullet_lines_ratio)},
               {"gopher_too_many_end_ellipsis", Drops::above, on(o_.max_ellipsis_lines_ratio)},
               {"gopher_below_alpha_threshold", Drops::below, on(o_.max_non_alpha_words_ratio)},
               {"gopher_enough_stop_words", Drops::below, on(double(o_.min_stop_words))}};
  }

  void measure(const Document& document, Figures& figures) const override {
    const std::string_view text = document.text;
    int64_t words = 0, real_words = 0, real_chars = 0, with_letter = 0;
    std::vector<bool> seen(stop_words_.size());
    for (const std::string_view word : words_of(*words_, text)) {
      const WordFacts facts = facts_of(word);
      ++words;
      if (facts.beyond_symbols) ++real_words, real_chars += facts.chars;
      with_letter += facts.letter;
      if (word.size() > longest_stop_word_) continue;
      if (const auto stop = stop_words_.find(word); stop != stop_words_.end())
        seen[stop->second] = true;
    }
    const auto stops = std::count(seen.begin(), seen.end(), true);
    if (!figures.next(double(real_words)) || !figures.next(double(real_words))) return;
    if (!figures.next(double(words))) return;
    const double mean = double(real_chars) / double(real_words);  // NaN without such words
    if (!figures.next(mean) || !figures.next(mean)) return;
    const double n = double(words);
    if (!figures.next(double(count_of(text, "#")) / n)) return;
    if (!figures.next(double(count_of(text, "...") + count_of(text, kEllipsisSign)) / n)) return;
    const LineFacts lines = line_facts(text);
    if (!figures.next(double(lines.bullets) / double(lines.lines))) return;
    if (!figures.next(double(lines.ellipses) / double(lines.lines))) return;
    if (!figures.next(double(with_letter) / n)) return;
    figures.next(double(stops));
  }

 private:
  Options o_;
  std::shared_ptr<const Words> words_;
  std::unordered_map<std::string_view, size_t> stop_words_ = {};  // numbered
  size_t longest_stop_word_ = 0;
};

}  // namespace

HELIO_OP(GopherQuality)

}  // namespace helio::data
