// Substrings that occur more than once in a corpus, as exact-substring deduplication defines them
// (Lee et al. 2022, deduplicate-text-datasets): byte i is repeated when a window of `length` bytes
// that covers it occurs at two places. Found without a suffix array: every window's rolling hash is
// sorted on disk, and equal hashes are confirmed byte by byte, so the result is the same.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/op.h"

namespace helio::data {

enum class Copies {
  later,  // the first occurrence of a window by manifest order stays
  all,    // as the original tool does
};

struct ByteRange {
  uint64_t order = 0;  // of the document
  uint64_t begin = 0, end = 0;
  auto operator<=>(const ByteRange&) const = default;
};

class RepeatedSubstrings {
 public:
  RepeatedSubstrings(uint64_t length, Copies copies) : length_(length), copies_(copies) {}

  static void survey(const Document& document, std::string& out);
  void settle(Survey& survey, StageContext& context);
  // All ranges that go, by document and place, apart from each other.
  const std::vector<ByteRange>& ranges() const { return ranges_; }
  // The document's text without its ranges, which are narrowed to whole characters. Returns how
  // many bytes went.
  uint64_t cut(const Document& document, std::string& rest) const;

 private:
  class Texts;
  void find(const Texts& texts, StageContext& context);

  uint64_t length_;
  Copies copies_;
  std::vector<ByteRange> ranges_ = {};
};

}  // namespace helio::data
