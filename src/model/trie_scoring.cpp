#include "model/trie_scoring.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "core/error.h"
#include "model/long_tensor.h"
#include "model/paged_cache.h"

namespace helio::model {
namespace {

constexpr int64_t kHeadRows = 256;  // positions whose logits exist at one time

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
        waiting_(plan.nodes.size()) {}

  std::vector<Score> run(size_t requests) {
    scores_.assign(requests, {.log_prob = 0, .is_greedy = true});
    ready_.assign(plan_.roots.rbegin(), plan_.roots.rend());
    while (!ready_.empty()) {
      const auto batch = next_batch();
      forward(batch);
      // The first node's children come last, so that they are next: its branch alone may use the
      // reserve, and is finished first.
      for (auto node = batch.rbegin(); node != batch.rend(); ++node) finish(*node);
    }
    return std::move(scores_);
  }

 private:
  int64_t pages_for(int64_t tokens) const {
    return (tokens + options_.page_tokens - 1) / options_.page_tokens;
  }
  // Room for a pass, for what its nodes wait for, and for the longest branch (twice its tokens: a
  // node that goes on in the middle of a page has a copy of it).
  int64_t capacity() const {
    int64_t all = 0;
    for (const ScoreNode& node : plan_.nodes) all += own_pages(node);
    return std::min(all, pages_for(options_.batch_tokens) + reserve_) + reserve_;
  }
  // Pages that hold no token of the node's parent alone: the parent's last, when it isn't full, is
  // copied.
  int64_t own_pages(const ScoreNode& node) const {
    return pages_for(node.end) - node.begin / options_.page_tokens;
  }

  // From the top of the stack, as many nodes as a pass and the pages have room for.
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
      if (node.begin % options_.page_tokens) copies_.emplace_back(parents[shared], 0);
    }
    while (static_cast<int64_t>(mine.size()) < pages_for(node.end)) mine.push_back(pages_.take());
    if (node.parent >= 0 && node.begin % options_.page_tokens) copies_.back().second = mine[shared];
    waiting_[index] = node.children.size();
  }

  // The parents' last pages, where a node goes on in the middle of one.
  void copy_pages() {
    if (copies_.empty()) return;
    std::vector<int32_t> from, to;
    for (const auto& [source, target] : copies_) {
      from.push_back(source);
      to.push_back(target);
    }
    copies_.clear();
    const at::Tensor sources = long_tensor(from), targets = long_tensor(to);
    for (int64_t layer = 0; layer < decoder_.config().layers; ++layer)
      for (at::Tensor* pool : {&cache_.keys(layer), &cache_.values(layer)})
        pool->index_copy_(0, targets, pool->index_select(0, sources));
  }

  void forward(const std::vector<size_t>& batch) {
    copy_pages();
    std::vector<TokenId> ids;
    std::vector<nn::PagedStep> steps;
    std::vector<int64_t> rows;                               // of the pass, whose logits are read
    std::vector<std::pair<size_t, const ScoreRow*>> wanted;  // index in rows, what is read
    for (const size_t index : batch) {
      const ScoreNode& node = plan_.nodes[index];
      const auto first = static_cast<int64_t>(ids.size());
      const auto its = plan_.ids(node);
      ids.insert(ids.end(), its.begin(), its.end());
      steps.push_back({.pages = held_[index], .past = node.begin, .fresh = node.end - node.begin});
      for (const ScoreRow& row : node.rows) {
        const int64_t at = first + row.position - node.begin;
        if (rows.empty() || rows.back() != at) rows.push_back(at);
        wanted.emplace_back(rows.size() - 1, &row);
      }
    }
    const at::Tensor hidden = decoder_.hidden(long_tensor(ids), cache_, steps);
    if (!rows.empty()) read(hidden.index_select(0, long_tensor(rows)), wanted);
  }

  void read(const at::Tensor& hidden, const std::vector<std::pair<size_t, const ScoreRow*>>& all) {
    auto next = all.begin();
    for (int64_t first = 0; first < hidden.size(0); first += kHeadRows) {
      const int64_t last = std::min(first + kHeadRows, hidden.size(0));
      const at::Tensor logits = decoder_.logits(hidden.slice(0, first, last)).contiguous();
      const at::Tensor log_sums = logits.logsumexp({1}).contiguous();
      const at::Tensor best = logits.argmax(1).contiguous();
      const float* const values = logits.const_data_ptr<float>();
      for (; next != all.end() && static_cast<int64_t>(next->first) < last; ++next) {
        const int64_t row = static_cast<int64_t>(next->first) - first;
        const ScoreRow& asked = *next->second;
        Score& score = scores_[asked.request];
        score.log_prob += static_cast<double>(values[row * logits.size(1) + asked.target]) -
                          static_cast<double>(log_sums.const_data_ptr<float>()[row]);
        score.is_greedy = score.is_greedy && best.const_data_ptr<int64_t>()[row] == asked.target;
      }
    }
  }

  void finish(size_t index) {
    const ScoreNode& node = plan_.nodes[index];
    ready_.insert(ready_.end(), node.children.rbegin(), node.children.rend());
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
  std::vector<size_t> ready_ = {};          // whose parents have run; the next is last
  std::vector<std::pair<int32_t, int32_t>> copies_ = {};
  std::vector<Score> scores_ = {};
};

}  // namespace

std::vector<Score> score_plan(const Decoder& decoder, const ScorePlan& plan, size_t requests,
                              const TrieScoringOptions& options) {
  if (requests == 0) return {};
  return TrieScorer(decoder, plan, options).run(requests);
}

}  // namespace helio::model
