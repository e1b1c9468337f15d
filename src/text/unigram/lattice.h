// All cuts of one word into pieces. Every sum is taken in the order in which HF tokenizers 0.23.3
// takes it, so that the numbers are the same to the last bit.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "text/unigram/pieces.h"

namespace helio::text::unigram {

// What finds pieces in words: rebuilt whenever the pieces change.
struct Model {
  explicit Model(const Pieces& of)
      : pieces(of),
        trie(of),
        unknown_score(of.least_score() - 10),
        largest_score(std::max(of.largest_score(), -unknown_score)) {}
  const Pieces& pieces;
  PieceTrie trie;
  double unknown_score, largest_score;
};

class Lattice {
 public:
  // Keeps the word's places until the next call; the same object serves many words.
  void set(std::span<const Symbol> word, const Model& model);

  // Calls visit(id, p) for every piece at every place, from left to right, shorter first, with its
  // probability given the word. Returns the word's log likelihood.
  template <class Visit>
  double marginals(Visit&& visit) {
    const double z = forward_backward();
    for (const Node& node : nodes_)
      visit(node.id, std::exp(forward_[node.begin] + node.score + backward_[node.end] - z));
    return z;
  }

  // Ids of the most likely cut; of equals the one whose last piece is the longest.
  const std::vector<uint32_t>& best();

  // The two most likely cuts, as A* finds them from the end of the word.
  struct TwoBest {
    size_t cuts = 0;  // that there are: 1 or 2
    size_t first_size = 0;
    std::vector<uint32_t> second = {};
  };
  TwoBest two_best();

 private:
  struct Node {
    uint32_t begin = 0, end = 0, id = 0;
    double score = 0;
  };
  static constexpr uint32_t kNone = UINT32_MAX;

  double forward_backward();
  void viterbi();
  uint32_t best_before(uint32_t place, double score) const;
  void list_ends();

  size_t size_ = 0, longest_ = 0;
  double largest_score_ = 0;
  std::vector<Node> nodes_ = {};       // by begin, then length
  std::vector<uint32_t> begins_ = {};  // by place: first node; one more at the end
  std::vector<double> forward_ = {}, backward_ = {};
  std::vector<double> path_ = {};        // by node: score of the best cut up to its end
  std::vector<uint32_t> before_ = {};    // by node: the one before it there
  std::vector<double> top_ = {};         // by place: best path_ of nodes that end there
  std::vector<uint32_t> top_node_ = {};  // the first that has it
  std::vector<uint8_t> close_ = {};      // by place: others may tie with it after rounding
  std::vector<uint32_t> best_ = {};
  std::vector<uint32_t> end_begins_ = {}, ends_ = {};  // by place: nodes that end there, in order
};

}  // namespace helio::text::unigram
