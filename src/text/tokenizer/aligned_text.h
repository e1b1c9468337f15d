// A text on its way through normalisers and pre-tokenizers that knows, for each of its bytes, which
// bytes of the original it came from, by the rules of HF tokenizers (NormalizedString).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace helio::text {

// One character of a rewritten text, and what it does to the characters it is written over:
// 0 takes the place of the next one, 1 is added behind the one before, -n takes the place of the
// next one and removes n more.
struct Change {
  char32_t code = 0;
  int change = 0;
};

class AlignedText {
 public:
  enum class Track { no, yes };
  struct Source {
    uint32_t begin = 0, end = 0;  // bytes of the original
  };

  AlignedText() = default;
  AlignedText(std::string_view original, Track track);

  const std::string& text() const { return text_; }
  bool tracked() const { return tracked_; }
  // The original bytes of [begin, end), which must not be empty and lie in the text.
  Source source(size_t begin, size_t end) const { return {from_[begin].begin, from_[end - 1].end}; }
  size_t shift() const { return shift_; }  // where this part begins in the original
  AlignedText slice(size_t begin, size_t end) const;

  // Rewrites the whole text. `removed` characters at its beginning go first.
  void transform(const std::vector<Change>& changes, size_t removed = 0);
  // Puts a text before this one (nothing when this one is empty).
  void prepend(std::string_view before);
  // Replaces parts (in order, not overlapping).
  struct Part {
    size_t begin = 0, end = 0;
  };
  void replace(const std::vector<Part>& parts, std::string_view by);
  // Another text, of which each byte was made of a part of this one.
  void rewrite(std::string text, const std::vector<Part>& from);
  // Another text of the same meaning, when nothing is tracked.
  void set_text(std::string text);
  // How long it may become, whatever the steps of a file make of it.
  size_t limit() const { return limit_; }

 private:
  Source source_before(size_t at) const;  // of what is added behind byte `at`

  std::string text_ = {};
  std::vector<Source> from_ = {};  // one for each byte, when tracked
  size_t limit_ = 0;  // bytes
  uint32_t shift_ = 0;
  bool tracked_ = false;
};

}  // namespace helio::text
