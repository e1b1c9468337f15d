// How much a text repeats itself, as datatrove 0.10.1's GopherRepetitionFilter counts it.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace helio::data {

struct Repeats {
  int64_t of = 0;      // pieces in all
  int64_t pieces = 0;  // those equal to one before
  int64_t chars = 0;   // characters of these
};

// Pieces between runs of at least `breaks` line ends (the pieces at the ends may be empty).
Repeats repeated_pieces(std::string_view text, size_t breaks);
// Of pieces given.
Repeats repeated_of(const std::vector<std::string_view>& pieces);

// Runs of words, compared by hashes: of their words in order, or of their letters.
class WordRuns {
 public:
  explicit WordRuns(const std::vector<std::string_view>& words);

  // Characters of the commonest run of n words, spaces between them included, times its count; of
  // equally common ones the first. 0 when there are fewer words or it stands there fewer than
  // min_count times.
  int64_t top_chars(size_t n, int64_t min_count = 1) const;
  // Characters of runs of n words seen before, scanning from the left and skipping what was
  // counted. Runs are equal when their letters are, wherever the spaces stand.
  int64_t repeated_chars(size_t n) const;

  // dolma's figures, in which spaces do not count: characters of the commonest run times its count,
  // and the share of all runs' characters that is in runs standing there more than once.
  int64_t top_letters(size_t n) const;
  double share_in_repeated(size_t n) const;
  // DCLM's: as top_letters, of equally common runs the longest; and the characters of all words
  // that are part of a repeated run, each word once. 0 when no run repeats.
  int64_t longest_top_letters(size_t n) const;
  int64_t letters_in_repeated(size_t n) const;
  int64_t letters() const { return chars_.back(); }

 private:
  // Where the commonest run of n words begins and how often it stands there; {0, 0} without runs.
  std::pair<size_t, int64_t> commonest(size_t n) const;
  uint64_t run_hash(size_t first, size_t n) const;
  uint64_t letters_hash(size_t first, size_t n) const;
  int64_t chars(size_t first, size_t n) const { return chars_[first + n] - chars_[first]; }

  size_t words_ = 0;
  std::vector<int64_t> chars_ = {};     // before each word, and in all
  std::vector<uint64_t> bytes_ = {};    // likewise
  std::vector<uint64_t> letters_ = {};  // hash of the bytes before
  std::vector<uint64_t> hashes_ = {};   // of each word
};

}  // namespace helio::data
