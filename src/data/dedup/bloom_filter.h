// A Bloom filter whose bits depend on what is put in alone: no random seeds.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace helio::data {

class BloomFilter {
 public:
  // For `expected` hashes and a share of false positives, in at most `memory` bytes.
  BloomFilter(uint64_t expected, double false_positives, uint64_t memory) {
    const double n = double(std::max<uint64_t>(expected, 1));
    const double ln2 = std::log(2.0);
    const double wanted = std::ceil(-n * std::log(false_positives) / (ln2 * ln2) / 64);
    words_.assign(uint64_t(std::clamp(wanted, 1.0, std::max(1.0, double(memory / 8)))), 0);
    hashes_ = std::clamp(int(std::lround(double(words_.size()) * 64 / n * ln2)), 1, 32);
    false_positives_ = std::pow(1 - std::exp(-hashes_ * n / (double(words_.size()) * 64)), hashes_);
  }

  // With so many hashes inside as were expected.
  double false_positives() const { return false_positives_; }
  uint64_t bytes() const { return words_.size() * 8; }

  bool has(uint64_t hash) const {
    const uint64_t step = step_of(hash);
    for (int i = 0; i < hashes_; ++i, hash += step)
      if (!(words_[word(hash)] >> (hash & 63) & 1)) return false;
    return true;
  }
  void add(uint64_t hash) {
    const uint64_t step = step_of(hash);
    for (int i = 0; i < hashes_; ++i, hash += step)
      words_[word(hash)] |= uint64_t(1) << (hash & 63);
  }

 private:
  // The upper bits choose the word, the lower ones the bit.
  size_t word(uint64_t hash) const {
    __extension__ using Wide = unsigned __int128;
    return size_t(Wide(hash) * words_.size() >> 64);
  }
  static uint64_t step_of(uint64_t hash) {
    hash ^= hash >> 32;
    hash *= 0x9E3779B97F4A7C15;
    return (hash ^ hash >> 29) | 1;
  }

  std::vector<uint64_t> words_ = {};
  int hashes_ = 1;
  double false_positives_ = 0;
};

}  // namespace helio::data
