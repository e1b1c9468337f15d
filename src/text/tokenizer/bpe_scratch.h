// The hot loop of BPE encoding and the memory it works in. Private to bpe_model.
#pragma once

#include <algorithm>
#include <cstring>
#include <queue>

#include "text/tokenizer/bpe_model.h"

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

class BpeModel::Scratch {
 public:
  WordCache cache = {};
  std::vector<TokenId> ids = {};  // of the word at hand
  bool last_unknown = false;

  // Short words: for each symbol the rule that merges it with its right neighbour.
  std::vector<uint32_t> ranks = {};
  std::vector<TokenId> becomes = {};

  // Long words: symbols as a linked list, candidates in a heap.
  struct Symbol {
    TokenId id = 0;
    int64_t previous = -1, next = -1;
    bool gone = false;
  };
  struct Candidate {
    uint32_t rank = 0;
    TokenId becomes = 0;
    int64_t at = 0;
    bool operator>(const Candidate& other) const {
      return rank != other.rank ? rank > other.rank : at > other.at;
    }
  };
  std::vector<Symbol> symbols = {};
  std::vector<Candidate> heap = {};
};

// Merges scratch.ids in place: always the lowest rank, the leftmost of equals.
void merge_all(const MergeTable& merges, BpeModel::Scratch& scratch);

}  // namespace helio::text
