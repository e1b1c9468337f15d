// Pieces of a Unigram model in training, and the trie that finds them in a word.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "text/unigram/training_words.h"

namespace helio::text::unigram {

// By id. Id 0 stands for characters that no piece has; it has no symbols.
class Pieces {
 public:
  Pieces() { add(std::span<const Symbol>(), 0, 0); }

  size_t size() const { return scores_.size(); }
  std::span<const Symbol> symbols(size_t id) const {
    return {pool_.data() + begins_[id], begins_[id + 1] - begins_[id]};
  }
  double score(size_t id) const { return scores_[id]; }
  void set_score(size_t id, double score) { scores_[id] = score; }
  // Where the piece stands among all seeds by its symbols.
  uint32_t rank(size_t id) const { return ranks_[id]; }
  void add(std::span<const Symbol> symbols, double score, uint32_t rank) {
    pool_.insert(pool_.end(), symbols.begin(), symbols.end());
    begins_.push_back(static_cast<uint32_t>(pool_.size()));
    scores_.push_back(score);
    ranks_.push_back(rank);
  }
  void take(const Pieces& other, size_t id, double score) {
    add(other.symbols(id), score, other.rank(id));
  }
  double least_score() const;    // id 0 aside; infinite without others
  double largest_score() const;  // absolute value, id 0 aside

 private:
  std::vector<Symbol> pool_ = {};
  std::vector<uint32_t> begins_ = {0}, ranks_ = {};
  std::vector<double> scores_ = {};
};

// All pieces that begin at a place in a word, the shortest first.
class PieceTrie {
 public:
  explicit PieceTrie(const Pieces& pieces);

  // visit(size_t length, uint32_t id)
  template <class Visit>
  void prefixes(std::span<const Symbol> word, Visit&& visit) const {
    if (word.empty() || word[0] >= roots_.size()) return;
    uint32_t node = roots_[word[0]];
    for (size_t length = 1; node != 0; ++length) {
      const Node& at = nodes_[node];
      if (at.piece != 0) visit(length, at.piece);
      if (length >= word.size() || at.children == 0) return;
      node = child(at, word[length]);
    }
  }
  size_t depth() const { return depth_; }  // length of the longest piece

 private:
  struct Node {
    Symbol label = 0;
    uint32_t first = 0, children = 0;  // that follow each other, by label
    uint32_t piece = 0;                // 0: none ends here
  };
  uint32_t child(const Node& node, Symbol label) const {
    uint32_t low = node.first, count = node.children;
    while (count > 4) {
      const uint32_t half = count / 2;
      if (nodes_[low + half].label <= label) low += half, count -= half;
      else count = half;
    }
    for (uint32_t i = low; i < low + count; ++i)
      if (nodes_[i].label == label) return i;
    return 0;
  }
  std::vector<Node> nodes_ = {};
  std::vector<uint32_t> roots_ = {};  // by symbol
  size_t depth_ = 0;
};

// The substrings that a training begins with: every character, then the substrings of two to
// `max_length` characters, without a word's end, that occur twice or more and are followed by
// different characters (inner nodes of the suffix tree), by number of distinct places times length.
// Scores are logarithms of their share.
//
// Suffixes are sorted by their first max_length + 1 symbols with multikey quicksort (Bentley and
// Sedgewick 1997), in place: 4 bytes a character beside the words.
Pieces seed_pieces(const TrainingWords& words, size_t max_length, size_t seed_size, int threads,
                   const StopRequest& stop);

}  // namespace helio::text::unigram
