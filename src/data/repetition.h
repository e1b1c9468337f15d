// How much a text repeats itself, as datatrove 0.10.1's GopherRepetitionFilter counts it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace helio::data {

struct Repeats {
  int64_t of = 0;      // pieces in all
  int64_t pieces = 0;  // those equal to one before
  int64_t chars = 0;   // characters of these
};

// Pieces between runs of at least `breaks` line ends (the pieces at the ends may be empty).
Repeats repeated_pieces(std::string_view text, size_t breaks);

// Runs of words, compared by 61-bit polynomial hashes of what they stand for.
class WordRuns {
 public:
  explicit WordRuns(std::string_view text);

  // Characters of the commonest run of n words, spaces between them included, times its count; of
  // equally common ones the first. 0 when there are fewer words or it stands there fewer than
  // min_count times.
  int64_t top_chars(size_t n, int64_t min_count = 1) const;
  // Characters of runs of n words seen before, scanning from the left and skipping what was
  // counted. Runs are equal when their letters are, wherever the spaces stand.
  int64_t repeated_chars(size_t n) const;

 private:
  uint64_t sequence_hash(size_t first, size_t n) const;
  uint64_t letters_hash(size_t first, size_t n) const;
  int64_t chars(size_t first, size_t n) const { return chars_[first + n] - chars_[first]; }

  size_t words_ = 0;
  std::vector<int64_t> chars_ = {0};      // before each word, and in all
  std::vector<uint64_t> sequence_ = {0};  // hash of the words before
  std::vector<uint64_t> letters_ = {0};   // hash of the bytes before
  std::vector<uint64_t> powers_ = {1};    // of the base of letters_, by bytes
  std::vector<size_t> bytes_ = {0};       // before each word
};

}  // namespace helio::data
