// The words of a Unigram training as one row of symbols: characters by their rank in the alphabet,
// so that symbols compare as characters do.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/unigram_train.h"

namespace helio::text::unigram {

using Symbol = uint32_t;
// Ends each word in the row; the character U+0000, which no piece has, is this too.
inline constexpr Symbol kEnd = 0;

class TrainingWords {
 public:
  // Sorts the words by their bytes. Error{invalid} beyond 4 billion characters.
  explicit TrainingWords(std::vector<CountedWord> words);

  size_t size() const { return counts_.size(); }
  std::span<const Symbol> word(size_t i) const {
    return {row_.data() + begins_[i], begins_[i + 1] - begins_[i] - 1};
  }
  int64_t count(size_t i) const { return counts_[i]; }
  const std::vector<Symbol>& row() const { return row_; }  // kEnd after each word
  size_t symbols() const { return alphabet_.size(); }      // kEnd included
  char32_t character(Symbol symbol) const { return alphabet_[symbol]; }
  std::string text(std::span<const Symbol> symbols) const;
  // The characters of the words, U+0000 included where a word has it, in order.
  const std::vector<char32_t>& characters() const { return characters_; }

 private:
  std::vector<Symbol> row_ = {};
  std::vector<uint32_t> begins_ = {};
  std::vector<int64_t> counts_ = {};
  std::vector<char32_t> alphabet_ = {}, characters_ = {};
};

}  // namespace helio::text::unigram
