// Pairs waiting to be merged: the most frequent first, of equals the smaller pair, then the older.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "text/train/pair_map.h"
#include "text/train/word_lists.h"

namespace helio::text {

struct WaitingPair {
  int64_t count = 0;  // when it was put here: above zero
  Pair pair = 0;
  WordLists::List words = {};  // that gained the pair in that step
  uint32_t step = 0;
  bool operator<(const WaitingPair& other) const {
    if (count != other.count) return count < other.count;
    if (pair != other.pair) return pair > other.pair;
    return step > other.step;
  }
};

// Most pairs are rare and never come up: a heap is kept only of those whose count has as many bits
// as the largest; the others lie unordered until it is their turn.
class MergeQueue {
 public:
  void push(const WaitingPair& waiting) {
    const size_t bits = bits_of(waiting.count);
    if (bits < level_) {
      later_[bits].push_back(waiting);
      return;
    }
    heap_.push_back(waiting);
    std::push_heap(heap_.begin(), heap_.end());
  }
  // False when nothing waits.
  bool pop(WaitingPair& top) {
    while (heap_.empty()) {
      if (level_ == 0) return false;
      heap_.swap(later_[--level_]);
      later_[level_] = {};
      std::make_heap(heap_.begin(), heap_.end());
    }
    std::pop_heap(heap_.begin(), heap_.end());
    top = heap_.back();
    heap_.pop_back();
    return true;
  }

 private:
  static size_t bits_of(int64_t count) {
    return static_cast<size_t>(std::bit_width(static_cast<uint64_t>(count)));
  }
  std::vector<WaitingPair> heap_ = {};
  std::array<std::vector<WaitingPair>, 64> later_ = {};  // by bits of the count
  size_t level_ = 64;
};

}  // namespace helio::text
