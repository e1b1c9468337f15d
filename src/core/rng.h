// A small seeded generator whose numbers are part of our formats: the same on every machine.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace helio {

// SplitMix64 (Steele, Lea, Flood 2014): one 64-bit word of state, passes BigCrush.
class Rng {
 public:
  explicit Rng(uint64_t seed) : state_(seed) {}
  // A generator for one purpose: streams with other names or indices do not overlap.
  static Rng stream(uint64_t seed, std::string_view purpose, uint64_t index = 0);

  uint64_t next();
  uint64_t below(uint64_t n);  // uniform in [0, n), without modulo bias; n > 0
  double uniform();            // [0, 1), 53 bits
  uint64_t state() const { return state_; }

  template <class T>
  void shuffle(std::span<T> items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  uint64_t state_;
};

}  // namespace helio
