#include "text/unigram/lattice.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "text/unigram/agenda.h"

namespace helio::text::unigram {
namespace {

// log(exp(x) + exp(y)); the smaller is left out where it cannot show.
double log_sum_exp(double x, double y) {
  const double low = x > y ? y : x, high = x > y ? x : y;
  if (high > low + 50) return high;
  return high + std::log(std::exp(low - high) + 1.0);
}

}  // namespace

void Lattice::set(std::span<const Symbol> word, const Model& model) {
  size_ = word.size();
  longest_ = std::max<size_t>(1, model.trie.depth());
  largest_score_ = model.largest_score;
  nodes_.clear();
  begins_.clear();
  for (uint32_t begin = 0; begin < size_; ++begin) {
    begins_.push_back(static_cast<uint32_t>(nodes_.size()));
    bool single = false;
    model.trie.prefixes(word.subspan(begin), [&](size_t length, uint32_t id) {
      nodes_.push_back({begin, begin + static_cast<uint32_t>(length), id, model.pieces.score(id)});
      single = single || length == 1;
    });
    if (!single) nodes_.push_back({begin, begin + 1, 0, model.unknown_score});
  }
  begins_.push_back(static_cast<uint32_t>(nodes_.size()));
}

double Lattice::forward_backward() {
  // Every place has a node that ends there, and one that begins there.
  constexpr double unset = std::numeric_limits<double>::infinity();
  forward_.assign(size_ + 1, unset);
  forward_[0] = 0;
  for (const Node& node : nodes_) {
    double& at = forward_[node.end];
    const double along = node.score + forward_[node.begin];
    at = at == unset ? along : log_sum_exp(at, along);
  }
  backward_.resize(size_ + 1);
  backward_[size_] = 0;
  for (size_t place = size_; place-- > 0;) {
    double sum = 0;
    for (uint32_t i = begins_[place]; i < begins_[place + 1]; ++i) {
      const double along = nodes_[i].score + backward_[nodes_[i].end];
      sum = i == begins_[place] ? along : log_sum_exp(sum, along);
    }
    backward_[place] = sum;
  }
  return forward_[size_];
}

// The node that the best cut up to `place` ends with, when a piece of `score` follows it. Adding
// the score rounds, so that cuts that were nearly equal before may be equal then; the first counts.
uint32_t Lattice::best_before(uint32_t place, double score) const {
  if (place == 0) return kNone;
  if (!close_[place]) return top_node_[place];
  uint32_t best = kNone;
  double best_score = 0;
  const size_t from = place > longest_ ? place - longest_ : 0;
  for (uint32_t i = begins_[from]; i < begins_[place]; ++i) {
    if (nodes_[i].end != place) continue;
    const double sum = path_[i] + score;
    if (best == kNone || sum > best_score) best = i, best_score = sum;
  }
  return best;
}

void Lattice::viterbi() {
  top_.assign(size_ + 1, 0);
  top_node_.assign(size_ + 1, kNone);
  close_.assign(size_ + 1, 0);
  path_.resize(nodes_.size());
  before_.resize(nodes_.size());
  for (uint32_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    before_[i] = best_before(node.begin, node.score);
    path_[i] = (before_[i] == kNone ? 0.0 : path_[before_[i]]) + node.score;
    double& top = top_[node.end];
    if (top_node_[node.end] == kNone) {
      top = path_[i];
      top_node_[node.end] = i;
      continue;
    }
    // Some dozens of units in the last place of any sum of the two.
    if (std::abs(path_[i] - top) <= 1e-14 * (std::abs(top) + largest_score_)) close_[node.end] = 1;
    if (path_[i] > top) {
      top = path_[i];
      top_node_[node.end] = i;
    }
  }
}

const std::vector<uint32_t>& Lattice::best() {
  viterbi();
  best_.clear();
  for (uint32_t i = size_ == 0 ? kNone : top_node_[size_]; i != kNone; i = before_[i])
    best_.push_back(nodes_[i].id);
  std::reverse(best_.begin(), best_.end());
  return best_;
}

void Lattice::list_ends() {
  end_begins_.assign(size_ + 2, 0);
  for (const Node& node : nodes_) ++end_begins_[node.end + 1];
  for (size_t place = 1; place < end_begins_.size(); ++place)
    end_begins_[place] += end_begins_[place - 1];
  ends_.resize(nodes_.size());
  auto next = end_begins_;
  for (uint32_t i = 0; i < nodes_.size(); ++i) ends_[next[nodes_[i].end]++] = i;
}

Lattice::TwoBest Lattice::two_best() {
  viterbi();
  list_ends();
  // Cuts are grown from the end: `behind` leads to the part that stands after a node.
  constexpr uint32_t kBegin = kNone - 1, kEndOfWord = kNone - 2;
  struct Part {
    uint32_t node = kNone, behind = kNone;
    double score = 0;  // of the node and all behind it
  };
  std::vector<Part> parts = {{.node = kEndOfWord}};
  Agenda agenda;
  agenda.push({.bound = 0, .part = 0});
  TwoBest out;
  while (!agenda.empty()) {
    const uint32_t top = agenda.pop().part;
    const Part part = parts[top];
    if (part.node == kBegin) {
      std::vector<uint32_t> ids;
      for (uint32_t i = part.behind; parts[i].node != kEndOfWord; i = parts[i].behind)
        ids.push_back(nodes_[parts[i].node].id);
      if (++out.cuts == 2) {
        out.second = std::move(ids);
        return out;
      }
      out.first_size = ids.size();
      continue;
    }
    const size_t place = part.node == kEndOfWord ? size_ : nodes_[part.node].begin;
    const auto grow = [&](uint32_t node, double path, double score) {
      parts.push_back({.node = node, .behind = top, .score = score + part.score});
      agenda.push({.bound = path + part.score, .part = static_cast<uint32_t>(parts.size() - 1)});
    };
    if (place == 0) grow(kBegin, 0, 0);
    for (uint32_t i = end_begins_[place]; i < end_begins_[place + 1]; ++i)
      grow(ends_[i], path_[ends_[i]], nodes_[ends_[i]].score);
    if (agenda.size() > 100'000) agenda.keep_best(20);
  }
  return out;
}

}  // namespace helio::text::unigram
