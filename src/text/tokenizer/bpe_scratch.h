// The hot loop of BPE encoding and the memory it works in. Private to bpe_model.
#pragma once

#include <cstdint>
#include <vector>

#include "text/tokenizer/bpe_model.h"
#include "text/tokenizer/word_cache.h"

namespace helio::text {

class BpeModel::Work final : public PieceModel::Scratch {
 public:
  WordCache cache = {};
  std::vector<TokenId> ids = {};     // of the word at hand
  std::vector<uint32_t> sizes = {};  // and how much of the piece each is, where that is asked

  // Short words: for each symbol the rule that merges it with its right neighbour.
  std::vector<uint32_t> ranks = {};
  std::vector<TokenId> becomes = {};

  // Long words: symbols as a linked list, candidates in a heap.
  struct Symbol {
    TokenId id = 0;
    uint32_t size = 0;
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

// Merges work.ids in place: always the lowest rank, the leftmost of equals.
void merge_all(const MergeTable& merges, BpeModel::Work& work);
// The same, and work.sizes (one for each id) are added up.
void merge_all_sized(const MergeTable& merges, BpeModel::Work& work);

}  // namespace helio::text
