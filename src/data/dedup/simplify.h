// The form of a text in which near-duplicates are compared: datatrove 0.10 simplify_text with its
// defaults (lower case, numbers as 0, punctuation as spaces, NFD without accents; Hangul becomes
// conjoining Jamo), cut into units. For Korean a word is a whole 어절.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace helio::data {

enum class TextUnit {
  word,      // between white space
  syllable,  // a character, Hangul whole: white space does not count, nor wrong spacing
  jamo,      // a character after decomposition, so that 했 and 햇 share two of three
};

// Units of a text in one buffer, so that a run of units is one piece of it. Words stand one space
// apart, characters side by side. An object may be used for one text after the other: it keeps its
// memory.
class SimpleWords {
 public:
  explicit SimpleWords(TextUnit unit = TextUnit::word) : unit_(unit) {}
  explicit SimpleWords(std::string_view text, TextUnit unit = TextUnit::word) : unit_(unit) {
    read(text);
  }

  void read(std::string_view text);
  // Words as they are: the text's own white space is folded and nothing else changed.
  void read_raw(std::string_view text);
  // Lower-cased runs of letters, numbers and "_" (Python's \w).
  void read_word_characters(std::string_view text);

  size_t size() const { return begins_.size() - 1; }
  // Units [first, first + count), count > 0.
  std::string_view run(size_t first, size_t count) const {
    return {buffer_.get() + begins_[first], begins_[first + count] - gap() - begins_[first]};
  }
  std::string_view text() const { return size() == 0 ? std::string_view() : run(0, size()); }

 private:
  size_t gap() const { return unit_ == TextUnit::word ? 1 : 0; }
  char* start(size_t bytes);
  void finish(const char* end);

  TextUnit unit_;
  std::unique_ptr<char[]> buffer_ = {};
  size_t capacity_ = 0;
  // Where each unit begins, and one more: where the next would.
  std::vector<uint32_t> begins_ = {0};
};

// Stands between the digits of one number.
bool is_decimal_mark(char32_t c);
// What the capital sigma at byte `at` becomes in lower case: ς at the end of a word, that is after
// a letter and before none.
char32_t small_sigma(std::string_view text, size_t at, size_t size);

}  // namespace helio::data
