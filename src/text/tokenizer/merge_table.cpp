#include "text/tokenizer/merge_table.h"

namespace helio::text {

void MergeTable::reserve(size_t merges) {
  size_t size = 16;
  int bits = 4;
  for (; size < merges + merges / 2; size *= 2) ++bits;
  slots_.assign(size, kEmpty);
  mask_ = size - 1;
  shift_ = 64 - bits;
  becomes_.reserve(merges);
}

void MergeTable::put(TokenId left, TokenId right, size_t rank) {
  const uint64_t pair = key(left, right);
  size_t i = place(pair);
  while (slots_[i] != kEmpty && (slots_[i] >> kRankBits) != pair) i = (i + 1) & mask_;
  slots_[i] = (pair << kRankBits) | rank;
}

void MergeTable::add(TokenId left, TokenId right, TokenId becomes) {
  put(left, right, becomes_.size());
  becomes_.push_back(becomes);
}

void MergeTable::add_way(TokenId left, TokenId right) { put(left, right, becomes_.size() - 1); }

void MergeTable::add_by_pair(TokenId left, TokenId right, TokenId becomes) {
  put(left, right, becomes_.size() - 1);
  becomes_.back() = kByPair;
  by_pair_[key(left, right)] = becomes;
}

}  // namespace helio::text
