// What encoding with a BPE model writes to, and the merging itself. Private to bpe_model.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/tokenizer/bpe_model.h"
#include "text/tokenizer/syllables.h"
#include "text/tokenizer/word_cache.h"

namespace helio::text {

class BpeModel::Work final : public PieceModel::Scratch {
 public:
  CachedWords words = {};
  LongWordCache long_words = {};
  size_t short_words = 0, many_ids = 0;  // merged ones that the first cache may have, or not
  SyllableStarts syllables = {};
  std::string letters = {};
  std::vector<TokenId> ids = {};     // of the word at hand
  std::vector<uint32_t> ranks = {};  // and of the merge of each with its right neighbour
  std::vector<uint32_t> sizes = {};  // and how much of the piece each is, where that is asked

  // Long words: symbols as a linked list, candidates (a rank and a place) in a heap.
  std::vector<int32_t> before = {}, behind = {};
  std::vector<uint64_t> heap = {};
};

// Up to here looking for the lowest rank in all of them beats a heap.
inline constexpr size_t kShortWord = 96;

// Merges work.ids in place: always the lowest rank, the leftmost of equals.
void merge_all(const MergeTable& merges, BpeModel::Work& work);
// The same for at most kShortWord ids whose work.ranks are known.
void merge_short(const MergeTable& merges, BpeModel::Work& work);
// The same, and work.sizes (one for each id) are added up.
void merge_all_sized(const MergeTable& merges, BpeModel::Work& work);

}  // namespace helio::text
