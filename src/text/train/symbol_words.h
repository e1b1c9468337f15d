// The words of a training, as sequences of tokens side by side in one block, so that a visit costs
// one cache miss.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/error.h"

namespace helio::text {

using Symbol = uint32_t;  // a token in training: its index into the tokens

class SymbolWords {
 public:
  using Place = uint32_t;  // of a word in the block

  // Takes 4 bytes a symbol and 12 a word; Error{failed} beyond 16 GiB in all.
  void add(const std::vector<Symbol>& symbols, int64_t count) {
    const size_t end = block_.size() + kHead + symbols.size();
    if (end > UINT32_MAX)
      throw Error(ErrorKind::failed, "the distinct words take more than 16 GiB")
          .with_hint("train on a sample, or keep fewer words: --max-words 20000000");
    if (words_++ % kStride == 0) marks_.push_back(block_.size());
    block_.push_back(static_cast<uint32_t>(symbols.size()));
    block_.push_back(static_cast<uint32_t>(count));
    block_.push_back(static_cast<uint32_t>(static_cast<uint64_t>(count) >> 32));
    block_.insert(block_.end(), symbols.begin(), symbols.end());
  }
  size_t words() const { return words_; }

  // Symbols are merged in place: the size shrinks, what is behind it is free.
  struct Word {
    uint32_t* size;
    Symbol* symbols;
    int64_t count;
  };
  Word at(Place place) {
    uint32_t* const head = block_.data() + place;
    return {head, head + kHead, static_cast<int64_t>(head[1] | (uint64_t(head[2]) << 32))};
  }
  void prefetch(Place place) const { __builtin_prefetch(block_.data() + place); }

  // Calls visit(Place) for the words of one of `parts` parts of about equal size. Only before
  // anything is merged.
  template <class Visit>
  void for_each_of_part(size_t part, size_t parts, Visit&& visit) const {
    const size_t end = begin_of_part(part + 1, parts);
    for (size_t at = begin_of_part(part, parts); at < end; at += kHead + block_[at])
      visit(static_cast<Place>(at));
  }

 private:
  static constexpr size_t kHead = 3, kStride = 1024;
  size_t begin_of_part(size_t part, size_t parts) const {
    const size_t mark = marks_.size() * part / parts;
    return mark < marks_.size() ? marks_[mark] : block_.size();
  }

  std::vector<uint32_t> block_ = {};  // of each word: size, count (low, high), symbols
  std::vector<size_t> marks_ = {};    // where each 1024th word begins
  size_t words_ = 0;
};

}  // namespace helio::text
