#include "data/fasttext/loss.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace helio::data::fasttext {
namespace {

// fastText reports exp(log(p + 1e-5)), so a sure label has 1.00001.
float guarded_log(float x) { return float(std::log(double(x) + 1e-5)); }

// The logistic function as fastText has it in these losses: a table of 512 steps over [-8, 8].
float table_sigmoid(float x) {
  static const std::array<float, 513> table = [] {
    std::array<float, 513> values;
    for (size_t i = 0; i < values.size(); ++i) {
      const float at = float(i * 2 * 8) / 512 - 8;
      values[i] = float(1.0 / (1.0 + double(std::exp(-at))));
    }
    return values;
  }();
  if (!(x >= -8)) return 0;
  if (x > 8) return 1;
  return table[std::min<size_t>(size_t((x + 8) * 512 / 8 / 2), 512)];
}

}  // namespace

// The best so far as (log score, label).
struct Output::Best {
  int32_t k;
  float threshold;
  std::vector<std::pair<float, int32_t>> found = {};

  static bool better(const std::pair<float, int32_t>& a, const std::pair<float, int32_t>& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  }
  bool full() const { return int32_t(found.size()) >= k; }
  bool hopeless(float log_score) const { return full() && log_score < found.front().first; }
  void add(float log_score, int32_t label) {
    if (std::isnan(log_score)) return;  // weights that are no numbers
    found.emplace_back(log_score, label);
    std::push_heap(found.begin(), found.end(), better);
    if (int32_t(found.size()) <= k) return;
    std::pop_heap(found.begin(), found.end(), better);
    found.pop_back();
  }
};

Output::Output(const ModelFile& file)
    : loss_(file.args.loss), labels_(int32_t(file.labels.size())), rows_(file.output) {
  if (loss_ == Loss::hierarchical_softmax) build_tree(file.label_counts);
}

// Huffman's tree over the labels' counts, which stand in falling order. Two queues: leaves from the
// rarest up, inner nodes in the order they were made.
void Output::build_tree(const std::vector<int64_t>& counts) {
  const size_t leaves = counts.size();
  tree_.resize(2 * leaves - 1);
  for (size_t i = 0; i < leaves; ++i) tree_[i].count = counts[i];
  int64_t leaf = int64_t(leaves) - 1;
  size_t inner = leaves;
  for (size_t node = leaves; node < tree_.size(); ++node) {
    const auto lightest = [&] {
      // An inner node not made yet weighs more than any leaf.
      if (leaf >= 0 && tree_[size_t(leaf)].count < tree_[inner].count) return int32_t(leaf--);
      return int32_t(inner++);
    };
    tree_[node].left = lightest();
    tree_[node].right = lightest();
    tree_[node].count =
        tree_[size_t(tree_[node].left)].count + tree_[size_t(tree_[node].right)].count;
  }
}

void Output::walk(Best& best, const std::vector<float>& hidden) const {
  // Explicit stack: a tree of very unequal counts is as deep as it has labels.
  std::vector<std::pair<int32_t, float>> open = {{int32_t(tree_.size()) - 1, 0.0f}};
  const float least = guarded_log(best.threshold);
  while (!open.empty()) {
    const auto [node, score] = open.back();
    open.pop_back();
    if (score < least || best.hopeless(score)) continue;
    const TreeNode& here = tree_[size_t(node)];
    if (here.left < 0) {
      best.add(score, node);
      continue;
    }
    const float f = 1.0f / (1.0f + std::exp(-rows_.dot(hidden.data(), node - labels_)));
    open.emplace_back(here.right, score + guarded_log(f));
    open.emplace_back(here.left, score + guarded_log(1.0f - f));
  }
}

std::vector<std::pair<float, int32_t>> Output::best(const std::vector<float>& hidden, int32_t k,
                                                    float threshold) const {
  Best best{.k = k <= 0 ? labels_ : k, .threshold = threshold};
  if (loss_ == Loss::hierarchical_softmax) {
    walk(best, hidden);
  } else {
    std::vector<float> scores(static_cast<size_t>(labels_));
    for (int32_t i = 0; i < labels_; ++i) scores[size_t(i)] = rows_.dot(hidden.data(), i);
    if (loss_ == Loss::softmax) {
      const float most = *std::max_element(scores.begin(), scores.end());
      float sum = 0;
      for (float& score : scores) sum += score = std::exp(score - most);
      for (float& score : scores) score /= sum;
    } else {
      for (float& score : scores) score = table_sigmoid(score);
    }
    for (int32_t i = 0; i < labels_; ++i)
      if (!(scores[size_t(i)] < threshold)) best.add(guarded_log(scores[size_t(i)]), i);
  }
  std::sort(best.found.begin(), best.found.end(), Best::better);
  for (auto& [score, label] : best.found) score = std::exp(score);
  return std::move(best.found);
}

}  // namespace helio::data::fasttext
