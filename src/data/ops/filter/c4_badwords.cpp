// C4's list of bad words, as datatrove has it.
#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/fs.h"
#include "data/op.h"
#include "data/text_lines.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

// Python's \w
bool is_word_char(char32_t c) {
  if (c < 0x80)
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  return text::is_letter(c) || text::is_number(c);
}

class C4Badwords final : public Filter {
 public:
  struct Options {
    std::vector<std::string> lists = {};
    std::vector<std::string> bad_words = {};
    std::string match = "words";
    int64_t max_count = 0;

    void describe(Fields& f) {
      f.input("lists", lists, "Files with a bad word or phrase a line (LDNOOBW's form).");
      f("bad_words", bad_words, "Further bad words and phrases.");
      f("match", match,
        "Bad words standing by themselves, or anywhere (for Japanese, Thai, Chinese).",
        one_of({"words", "anywhere"}));
      f("max_count", max_count, "Most bad words a document may hold.", at_least(0));
    }
  };

  static OpCard card() {
    return {.about = "Drops documents with words of a list.",
            .source =
                "Raffel et al. 2020 (C4) as in datatrove 0.10.1 C4BadWordsFilter, keep_fraction 0"};
  }

  explicit C4Badwords(const Options& options) : anywhere_(options.match == "anywhere") {
    words_ = options.bad_words;
    for (const std::string& list : options.lists) {
      const std::string text = read_file(list);
      for_each_line(text, [&](std::string_view line) { words_.emplace_back(text::trim(line)); });
    }
    std::erase_if(words_, [](const std::string& word) { return word.empty(); });
    if (words_.empty())
      throw Error(ErrorKind::invalid, "no bad words are given")
          .with_hint("name files in 'lists', or words in 'bad_words'");
    std::sort(words_.begin(), words_.end());
    words_.erase(std::unique(words_.begin(), words_.end()), words_.end());
    for (size_t i = 0; i < words_.size(); ++i) {
      const auto byte = static_cast<uint8_t>(words_[i][0]);
      if (ranges_[byte].second == 0) ranges_[byte].first = i;
      ranges_[byte].second = i + 1;
    }
    checks_ = {{"document_removed_with_badwords", Check::Drops::above, double(options.max_count)}};
  }

  void measure(const Document& document, Figures& figures) const override {
    const std::string text = text::to_lower(document.text);
    int64_t found = 0;
    bool free = true;  // whether no word character stands before
    for (size_t at = 0; at < text.size();) {
      if (free || anywhere_) found += stands_at(text, at);
      const auto point = text::decode_utf8(text, at);
      free = !is_word_char(point.value);
      at += point.size;
    }
    figures.next(double(found));
  }

 private:
  bool stands_at(std::string_view text, size_t at) const {
    const auto [first, last] = ranges_[static_cast<uint8_t>(text[at])];
    for (size_t i = first; i < last; ++i) {
      if (text.compare(at, words_[i].size(), words_[i]) != 0) continue;
      const size_t end = at + words_[i].size();
      if (anywhere_ || end == text.size() || !is_word_char(text::decode_utf8(text, end).value))
        return true;
    }
    return false;
  }

  bool anywhere_;
  std::vector<std::string> words_ = {};                     // ascending
  std::array<std::pair<size_t, size_t>, 256> ranges_ = {};  // of words_, by first byte
};

}  // namespace

HELIO_OP(C4Badwords)

}  // namespace helio::data
