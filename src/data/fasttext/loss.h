// From the text's vector to its labels, for each of fastText's losses.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "data/fasttext/matrix.h"

namespace helio::data::fasttext {

class Output {
 public:
  Output(const ModelFile& file);

  // (score, label) of the k best (all when k <= 0) at or above `threshold`, best first.
  std::vector<std::pair<float, int32_t>> best(const std::vector<float>& hidden, int32_t k,
                                              float threshold) const;

 private:
  struct TreeNode {
    int32_t left = -1, right = -1;
    int64_t count = 1'000'000'000'000'000;
  };
  struct Best;
  void build_tree(const std::vector<int64_t>& counts);
  void walk(Best& best, const std::vector<float>& hidden) const;

  Loss loss_;
  int32_t labels_;
  Rows rows_;
  std::vector<TreeNode> tree_ = {};
};

}  // namespace helio::data::fasttext
