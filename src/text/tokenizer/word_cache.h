// Words seen lately and their ids.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace helio::text {

// Words seen lately with their ids: direct-mapped, so that a lookup is one cache line or two and a
// newcomer simply takes the place. Long words are not kept.
class WordCache {
 public:
  struct Slot {
    uint8_t size = 0, count = 0;
    char bytes[46] = {};
    TokenId ids[20] = {};

    bool holds(std::string_view word) const {
      return size == word.size() && std::memcmp(bytes, word.data(), word.size()) == 0;
    }
    void keep(std::string_view word, const std::vector<TokenId>& found) {
      if (found.size() > std::size(ids)) return;
      size = static_cast<uint8_t>(word.size());
      count = static_cast<uint8_t>(found.size());
      std::memcpy(bytes, word.data(), word.size());
      std::copy(found.begin(), found.end(), ids);
    }
  };
  static_assert(sizeof(Slot) == 128);

  // Where a word is or would be; null when it is not to be cached.
  Slot* slot(std::string_view word) {
    if (word.size() > sizeof(Slot::bytes)) return nullptr;
    if (slots_.empty()) {
      // A few short texts are not worth megabytes.
      if ((seen_ += word.size()) < (16 << 10)) return nullptr;
      slots_.resize(kSlots);
    }
    return &slots_[hash(word) & (kSlots - 1)];
  }

 private:
  static constexpr size_t kSlots = 1 << 15;

  static size_t hash(std::string_view word) {
    uint64_t h = word.size() * 0x9E3779B97F4A7C15ull;
    size_t i = 0;
    const auto mix = [&](uint64_t part) {
      h = (h ^ part) * 0xD6E8FEB86659FD93ull;
      h ^= h >> 32;
    };
    for (; i + 8 <= word.size(); i += 8) {
      uint64_t part;
      std::memcpy(&part, word.data() + i, 8);
      mix(part);
    }
    if (i < word.size()) {
      uint64_t part = 0;
      std::memcpy(&part, word.data() + i, word.size() - i);
      mix(part);
    }
    return static_cast<size_t>(h ^ (h >> 17));
  }

  std::vector<Slot> slots_ = {};
  size_t seen_ = 0;
};

}  // namespace helio::text
