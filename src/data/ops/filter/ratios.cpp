// Simple shares of a text, each with limits; in the manner of data-juicer's small filters.
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "core/hash.h"
#include "data/filter_presets.h"
#include "data/op.h"
#include "data/python_text.h"
#include "data/words/words.h"

namespace helio::data {
namespace {

class Ratios final : public Filter {
 public:
  struct Options {
    double min_alphanumeric = 0.25, max_special = 0.4;
    double min_mean_line = 10, min_longest_line = 10;
    int64_t char_run = 10;
    double max_char_repetition = 0.5;
    int64_t word_run = 10;
    double max_word_repetition = 0.5;
    std::string words = "whitespace";

    void describe(Fields& f) {
      f("min_alphanumeric", min_alphanumeric, "Smallest share of letters and digits; 0 is off.",
        between(0, 1));
      f("max_special", max_special,
        "Largest share of characters that are neither letters nor marks nor digits nor white "
        "space; 0 is off.",
        between(0, 1));
      f("min_mean_line", min_mean_line, "Fewest characters a line on average; 0 is off.",
        at_least(0));
      f("min_longest_line", min_longest_line, "Fewest characters of the longest line; 0 is off.",
        at_least(0));
      f("char_run", char_run, "Characters in a run for max_char_repetition.", between(1, 100));
      f("max_char_repetition", max_char_repetition,
        "Largest share that the commonest runs of characters have of all runs: as many kinds as "
        "the root of their number, but none that stands there once. 0 is off.",
        between(0, 1));
      f("word_run", word_run, "Words in a run for max_word_repetition.", between(1, 100));
      f("max_word_repetition", max_word_repetition,
        "Largest share that runs of words standing there more than once have of all runs; 0 is "
        "off.",
        between(0, 1));
      f("words", words, kWordsHelp, words_rule());
    }
  };

  static OpCard card() {
    return {.about =
                "Drops documents by shares of letters and special characters, line lengths and "
                "repeated runs of characters or words.",
            .source =
                "Figures and defaults after data-juicer's alphanumeric, special_characters, "
                "average_line_length, maximum_line_length, character_repetition and "
                "word_repetition filters; the kinds of characters are Unicode's"};
  }

  explicit Ratios(Options options) : o_(std::move(options)), words_(make_words(o_.words)) {
    using Drops = Check::Drops;
    checks_ = {{"alphanumeric", Drops::below, limit_or_off(o_.min_alphanumeric)},
               {"special_characters", Drops::above, limit_or_off(o_.max_special)},
               {"average_line_length", Drops::below, limit_or_off(o_.min_mean_line)},
               {"maximum_line_length", Drops::below, limit_or_off(o_.min_longest_line)},
               {"character_repetition", Drops::above, limit_or_off(o_.max_char_repetition)},
               {"word_repetition", Drops::above, limit_or_off(o_.max_word_repetition)}};
  }

  void measure(const Document& document, Figures& figures) const override {
    const std::string_view text = document.text;
    std::vector<uint32_t> begins;  // of each character
    int64_t alphanumeric = 0, special = 0;
    for (size_t at = 0; at < text.size();) {
      const auto point = text::decode_utf8(text, at);
      begins.push_back(uint32_t(at));
      at += point.size;
      const auto kind = text::category(point.value);
      const bool alnum = kind == text::Category::letter || kind == text::Category::number;
      alphanumeric += alnum;
      special += !alnum && kind != text::Category::mark && !text::is_python_space(point.value);
    }
    const double chars = double(std::max<size_t>(begins.size(), 1));
    if (!figures.next(double(alphanumeric) / chars)) return;
    if (!figures.next(double(special) / chars)) return;
    int64_t lines = 0, longest = 0;
    for_each_python_line(text, [&](std::string_view line) {
      ++lines;
      if (int64_t(line.size()) > longest) longest = std::max(longest, char_count(line));
    });
    if (!figures.next(lines == 0 ? 0 : double(begins.size()) / double(lines))) return;
    if (!figures.next(double(longest))) return;
    if (figures.wanted() ? !figures.next(char_repetition(text, begins)) : !figures.skip()) return;
    if (figures.wanted()) figures.next(word_repetition(text));
    else figures.skip();
  }

 private:
  double char_repetition(std::string_view text, const std::vector<uint32_t>& begins) const {
    const auto run = size_t(o_.char_run);
    if (begins.size() < run) return 0;
    std::unordered_map<uint64_t, int64_t> counts;
    const size_t runs = begins.size() - run + 1;
    for (size_t i = 0; i < runs; ++i) {
      const size_t end = i + run < begins.size() ? begins[i + run] : text.size();
      ++counts[xxh3_64(text.substr(begins[i], end - begins[i]))];
    }
    std::vector<int64_t> repeated;
    for (const auto& [hash, count] : counts)
      if (count > 1) repeated.push_back(count);
    const size_t taken = std::min(size_t(std::sqrt(double(counts.size()))), repeated.size());
    std::partial_sort(repeated.begin(), repeated.begin() + ptrdiff_t(taken), repeated.end(),
                      std::greater<>());
    int64_t sum = 0;
    for (size_t i = 0; i < taken; ++i) sum += repeated[i];
    return double(sum) / double(runs);
  }

  double word_repetition(std::string_view text) const {
    const auto run = size_t(o_.word_run);
    const auto& words = words_of(*words_, text);
    if (words.size() < run) return 0;
    std::unordered_map<uint64_t, int64_t> counts;
    std::vector<uint64_t> hashes;
    for (const std::string_view word : words) hashes.push_back(xxh3_64(word));
    const size_t runs = words.size() - run + 1;
    for (size_t i = 0; i < runs; ++i) {
      const std::string_view bytes(reinterpret_cast<const char*>(&hashes[i]), run * 8);
      ++counts[xxh3_64(bytes)];
    }
    int64_t repeated = 0;
    for (const auto& [hash, count] : counts)
      if (count > 1) repeated += count;
    return double(repeated) / double(runs);
  }

  Options o_;
  std::shared_ptr<const Words> words_;
};

}  // namespace

HELIO_OP(Ratios)

}  // namespace helio::data
