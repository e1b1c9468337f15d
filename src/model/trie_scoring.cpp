#include "model/trie_scoring.h"

#include <ATen/TensorOperators.h>

#include <algorithm>

#include "core/error.h"
#include "model/long_tensor.h"
#include "model/paged_cache.h"
#include "model/score_rows.h"

namespace helio::model {
namespace {

// Pages that several nodes hold.
class SharedPages {
 public:
  explicit SharedPages(int64_t count) : holders_(static_cast<size_t>(count), 0) {
    for (auto page = static_cast<int32_t>(count); page-- > 0;) free_.push_back(page);
  }
  int64_t free() const { return static_cast<int64_t>(free_.size()); }
  int32_t take() {
    const int32_t page = free_.back();
    free_.pop_back();
    holders_[static_cast<size_t>(page)] = 1;
    return page;
  }
  void hold(int32_t page) { ++holders_[static_cast<size_t>(page)]; }
  void release(int32_t page) {
    if (--holders_[static_cast<size_t>(page)] == 0) free_.push_back(page);
  }

 private:
  std::vector<int32_t> holders_;
  std::vector<int32_t> free_ = {};
};

class TrieScorer {
 public:
  TrieScorer(const Decoder& decoder, const ScorePlan& plan, const TrieScoringOptions& options)
      : decoder_(decoder),
        plan_(plan),
        options_(options),
        reserve_(2 * pages_for(plan.longest())),
        pages_(capacity()),
        cache_(decoder.config(), capacity(), options.page_tokens, decoder.dtype()),
        held_(plan.nodes.size()),
        waiting_(plan.nodes.size()),
        tail_pages_(plan.nodes.size(), -1) {}

  std::vector<Score> run(size_t requests) {
    scores_.assign(requests, {.log_prob = 0, .is_greedy = true});
    ready_.assign(plan_.roots.rbegin(), plan_.roots.rend());
    while (!ready_.empty()) {
      const auto batch = next_batch();
      forward(batch);
      for (const size_t node : batch) finish(node);
    }
    return std::move(scores_);
  }

 private:
  int64_t pages_for(int64_t tokens) const {
    return (tokens + options_.page_tokens - 1) / options_.page_tokens;
  }
  // Room for a pass, whose last pages are partly empty, and for the longest branch (twice its
  // tokens: a node that goes on in the middle of a page has a copy of it).
  int64_t capacity() const {
    int64_t all = 0;
    for (const ScoreNode& node : plan_.nodes) all += own_pages(node);
    return std::min(all, pages_for(options_.batch_tokens * 3 / 2) + reserve_) + reserve_;
  }
  // Pages that hold no token of the node's parent alone: the parent's last, when it isn't full, is
  // copied.
  int64_t own_pages(const ScoreNode& node) const {
    return pages_for(node.end) - node.begin / options_.page_tokens;
  }

  // In the order of a walk, depth first, as many nodes as a pass and the pages have room for: a
  // node's children may be in its own pass. Between passes only the branch that leads to the next
  // node is held, for which the reserve has room.
  std::vector<size_t> next_batch() {
    std::vector<size_t> batch;
    int64_t tokens = 0;
    while (!ready_.empty()) {
      const ScoreNode& node = plan_.nodes[ready_.back()];
      const int64_t fresh = node.end - node.begin;
      const int64_t left = pages_.free() - own_pages(node);
      if (!batch.empty() && (tokens + fresh > options_.batch_tokens || left < reserve_)) break;
      HELIO_CHECK(left >= 0, "the reserve holds any branch");
      tokens += fresh;
      batch.push_back(ready_.back());
      ready_.pop_back();
      take_pages(batch.back());
      ready_.insert(ready_.end(), node.children.rbegin(), node.children.rend());
    }
    return batch;
  }

  void take_pages(size_t index) {
    const ScoreNode& node = plan_.nodes[index];
    auto& mine = held_[index];
    const auto shared = static_cast<size_t>(node.begin / options_.page_tokens);
    if (node.parent >= 0) {
      const auto& parents = held_[static_cast<size_t>(node.parent)];
      for (size_t i = 0; i < shared; ++i) {
        pages_.hold(parents[i]);
        mine.push_back(parents[i]);
      }
      if (node.begin % options_.page_tokens) tail_pages_[index] = parents[shared];
    }
    while (static_cast<int64_t>(mine.size()) < pages_for(node.end)) mine.push_back(pages_.take());
    waiting_[index] = node.children.size();
  }

  void forward(const std::vector<size_t>& batch) {
    std::vector<TokenId> ids;
    std::vector<nn::PagedStep> steps;
    std::vector<int64_t> rows;  // of the pass, whose logits are read
    std::vector<AskedToken> asked;
    std::vector<size_t> requests;  // that ask
    for (const size_t index : batch) {
      const ScoreNode& node = plan_.nodes[index];
      const auto first = static_cast<int64_t>(ids.size());
      const auto its = plan_.ids(node);
      ids.insert(ids.end(), its.begin(), its.end());
      steps.push_back({.pages = held_[index],
                       .past = node.begin,
                       .fresh = node.end - node.begin,
                       .tail_page = tail_pages_[index]});
      for (const ScoreRow& row : node.rows) {
        const int64_t at = first + row.position - node.begin;
        if (rows.empty() || rows.back() != at) rows.push_back(at);
        asked.push_back({.row = static_cast<int64_t>(rows.size()) - 1, .token = row.target});
        requests.push_back(row.request);
      }
    }
    const at::Tensor hidden = decoder_.hidden(long_tensor(ids), cache_, steps);
    if (rows.empty()) return;
    const auto read = score_rows(decoder_, hidden.index_select(0, long_tensor(rows)), asked);
    for (size_t i = 0; i < read.size(); ++i) {
      Score& score = scores_[requests[i]];
      score.log_prob += read[i].log_prob;
      score.is_greedy = score.is_greedy && read[i].is_greedy;
    }
  }

  void finish(size_t index) {
    const ScoreNode& node = plan_.nodes[index];
    if (node.children.empty()) release(index);
    if (node.parent < 0) return;
    const auto parent = static_cast<size_t>(node.parent);
    if (--waiting_[parent] == 0) release(parent);
  }

  void release(size_t index) {
    for (const int32_t page : held_[index]) pages_.release(page);
    held_[index] = {};
  }

  const Decoder& decoder_;
  const ScorePlan& plan_;
  TrieScoringOptions options_;
  int64_t reserve_;
  SharedPages pages_;
  PagedCache cache_;
  std::vector<std::vector<int32_t>> held_;  // by node
  std::vector<size_t> waiting_;             // children that have not run, by node
  std::vector<int32_t> tail_pages_;         // of their parents, by node: nn::PagedStep
  std::vector<size_t> ready_ = {};          // whose parents have their place; the next is last
  std::vector<Score> scores_ = {};
};

}  // namespace

std::vector<Score> score_plan(const Decoder& decoder, const ScorePlan& plan, size_t requests,
                              const TrieScoringOptions& options) {
  if (requests == 0) return {};
  return TrieScorer(decoder, plan, options).run(requests);
}

}  // namespace helio::model
