// A table by pairs of symbols: open addressing, keys and values apart.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "text/train/symbol_words.h"

namespace helio::text {

using Pair = uint64_t;  // left symbol in the upper half: pairs compare by left, then right
inline Pair pair_of(Symbol left, Symbol right) { return (static_cast<Pair>(left) << 32) | right; }

template <class Value>
class PairMap {
 public:
  // The value of a pair, made when it is new. Valid until the next call.
  Value& operator[](Pair pair) {
    if ((used_ + 1) * 3 > keys_.size() * 2) grow();
    size_t i = find(pair);
    if (keys_[i] == kNone) {
      keys_[i] = pair;
      ++used_;
    }
    return values_[i];
  }
  Value get(Pair pair) const {
    if (keys_.empty()) return Value();
    const size_t i = find(pair);
    return keys_[i] == kNone ? Value() : values_[i];
  }

 private:
  static constexpr Pair kNone = ~Pair(0);
  size_t find(Pair pair) const {
    size_t i = static_cast<size_t>((pair * 0x9E3779B97F4A7C15ull) >> shift_);
    while (keys_[i] != pair && keys_[i] != kNone) i = (i + 1) & (keys_.size() - 1);
    return i;
  }
  // What has the value it would be made with is forgotten.
  void grow() {
    size_t kept = 0;
    for (size_t i = 0; i < keys_.size(); ++i)
      if (keys_[i] != kNone && values_[i] != Value()) ++kept;
    size_t size = 1024;
    int bits = 10;
    for (; size < kept * 2; size *= 2) ++bits;
    std::vector<Pair> keys(size, kNone);
    std::vector<Value> values(size);
    keys.swap(keys_);
    values.swap(values_);
    shift_ = 64 - bits;
    used_ = kept;
    for (size_t i = 0; i < keys.size(); ++i) {
      if (keys[i] == kNone || values[i] == Value()) continue;
      const size_t to = find(keys[i]);
      keys_[to] = keys[i];
      values_[to] = std::move(values[i]);
    }
  }

  std::vector<Pair> keys_ = {};
  std::vector<Value> values_ = {};
  size_t used_ = 0;
  int shift_ = 0;
};

}  // namespace helio::text
