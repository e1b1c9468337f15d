#include "text/unigram/pieces.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace helio::text::unigram {

double Pieces::least_score() const {
  double least = std::numeric_limits<double>::infinity();
  for (size_t id = 1; id < size(); ++id) least = std::min(least, scores_[id]);
  return least;
}

double Pieces::largest_score() const {
  double largest = 0;
  for (size_t id = 1; id < size(); ++id) largest = std::max(largest, std::abs(scores_[id]));
  return largest;
}

PieceTrie::PieceTrie(const Pieces& pieces) {
  std::vector<uint32_t> sorted(pieces.size() - 1);
  std::iota(sorted.begin(), sorted.end(), 1U);
  std::sort(sorted.begin(), sorted.end(),
            [&](uint32_t a, uint32_t b) { return pieces.rank(a) < pieces.rank(b); });
  // Breadth first: node i is what the pieces sorted[low, high) share, `depth` symbols of each.
  struct Range {
    uint32_t low = 0, high = 0, depth = 0;
  };
  std::vector<Range> ranges = {{0, static_cast<uint32_t>(sorted.size()), 0}};
  nodes_.emplace_back();
  for (size_t i = 0; i < ranges.size(); ++i) {
    auto [low, high, depth] = ranges[i];
    depth_ = std::max<size_t>(depth_, depth);
    if (depth > 0 && low < high && pieces.symbols(sorted[low]).size() == depth)
      nodes_[i].piece = sorted[low++];
    nodes_[i].first = static_cast<uint32_t>(nodes_.size());
    while (low < high) {
      const Symbol label = pieces.symbols(sorted[low])[depth];
      uint32_t end = low + 1;
      while (end < high && pieces.symbols(sorted[end])[depth] == label) ++end;
      nodes_.push_back({.label = label});
      ranges.push_back({low, end, depth + 1});
      low = end;
    }
    nodes_[i].children = static_cast<uint32_t>(nodes_.size()) - nodes_[i].first;
  }
  const Node& root = nodes_[0];
  if (root.children > 0) roots_.resize(nodes_[root.first + root.children - 1].label + 1, 0);
  for (uint32_t i = root.first; i < root.first + root.children; ++i) roots_[nodes_[i].label] = i;
}

}  // namespace helio::text::unigram
