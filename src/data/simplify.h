// The form of a text in which near-duplicates are compared: datatrove 0.10 simplify_text with its
// defaults (lower case, numbers as 0, punctuation as spaces, NFD without accents; Hangul becomes
// conjoining Jamo), cut into words at white space. For Korean a word is a whole 어절.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace helio::data {

// Words stand one space apart, so that a run of words is one piece of the buffer.
class SimpleWords {
 public:
  explicit SimpleWords(std::string_view text);

  size_t size() const { return begins_.size(); }
  // Words [first, first + count) with single spaces between them.
  std::string_view run(size_t first, size_t count) const {
    const size_t last = first + count;
    const size_t end = last == size() ? buffer_.size() : begins_[last] - 1;
    return std::string_view(buffer_).substr(begins_[first], end - begins_[first]);
  }
  const std::string& text() const { return buffer_; }

 private:
  std::string buffer_ = {};
  std::vector<uint32_t> begins_ = {};
};

}  // namespace helio::data
