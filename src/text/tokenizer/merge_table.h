// BPE's merges: from a pair of ids to its rank and to the id it becomes.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "text/tokenizer.h"
#include "text/tokenizer/big_pages.h"

namespace helio::text {

class MergeTable {
 public:
  static constexpr uint32_t kNone = ~uint32_t(0);
  // Ids have 21 bits each (kLargestId) and ranks the 22 left: a pair and its rank are one number.
  static constexpr size_t kMostMerges = (size_t(1) << 22) - 1;

  void reserve(size_t merges);
  // The rank is the number of calls before this one; replaces an older entry.
  void add(TokenId left, TokenId right, TokenId becomes);
  // At the rank of the call before: another way to what that made, or to something else. A rank
  // that makes several things knows them by their pairs: give all of its entries once more.
  void add_way(TokenId left, TokenId right);
  void add_by_pair(TokenId left, TokenId right, TokenId becomes);
  size_t size() const { return becomes_.size(); }

  uint32_t rank(TokenId left, TokenId right) const {
    if (slots_.empty()) return kNone;
    const uint64_t pair = key(left, right);
    for (size_t i = place(pair);; i = (i + 1) & mask_) {
      const uint64_t slot = slots_[i];
      if (slot == kEmpty) return kNone;
      if ((slot >> kRankBits) == pair) return static_cast<uint32_t>(slot & kMostMerges);
    }
  }
  TokenId becomes(uint32_t rank, TokenId left, TokenId right) const {
    const TokenId id = becomes_[rank];
    return id != kByPair ? id : by_pair_.at(key(left, right));
  }
  // Calls visit(left, right, rank) for every merge, in any order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    constexpr uint64_t kId = (uint64_t(1) << kIdBits) - 1;
    for (const uint64_t slot : slots_) {
      if (slot == kEmpty) continue;
      const uint64_t pair = slot >> kRankBits;
      visit(static_cast<TokenId>(pair >> kIdBits), static_cast<TokenId>(pair & kId),
            static_cast<uint32_t>(slot & kMostMerges));
    }
  }
  void prefetch(TokenId left, TokenId right) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[place(key(left, right))]);
  }

 private:
  static constexpr int kIdBits = 21, kRankBits = 22;
  static constexpr uint64_t kEmpty = ~uint64_t(0);  // no rank is all ones
  static constexpr TokenId kByPair = -2;

  static uint64_t key(TokenId left, TokenId right) {
    return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << kIdBits) |
           static_cast<uint32_t>(right);
  }
  size_t place(uint64_t pair) const {
    return static_cast<size_t>((pair * 0x9E3779B97F4A7C15ull) >> shift_);
  }

  void put(TokenId left, TokenId right, size_t rank);

  BigVector<uint64_t> slots_ = {};
  BigVector<TokenId> becomes_ = {};                     // by rank
  std::unordered_map<uint64_t, TokenId> by_pair_ = {};  // where a rank makes several things
  size_t mask_ = 0;
  int shift_ = 63;
};

}  // namespace helio::text
