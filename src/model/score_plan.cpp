#include "model/score_plan.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace helio::model {
namespace {

int64_t common_prefix(const std::vector<TokenId>& a, const std::vector<TokenId>& b) {
  const auto end = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return end.first - a.begin();
}

int64_t length(const std::vector<TokenId>& ids) { return static_cast<int64_t>(ids.size()); }

// Adds inputs in lexicographic order: each shares its beginning with the one before, or with none.
class TreeBuilder {
 public:
  TreeBuilder(ScorePlan& plan, int64_t least) : plan_(plan), least_(least) {}

  // The node where the input's last token is.
  size_t add(size_t input) {
    const auto& ids = plan_.inputs[input];
    if (input > 0) {
      const auto& before = plan_.inputs[input - 1];
      int64_t shared = common_prefix(before, ids);
      if (shared == length(before)) {  // it goes on where the one before ends
        ScoreNode& leaf = plan_.nodes[path_.back()];
        leaf.end = length(ids);
        leaf.input = input;
        return path_.back();
      }
      leave_path_at(shared);
    }
    return begin_leaf(input);
  }

 private:
  ScoreNode& top() { return plan_.nodes[path_.back()]; }

  // Cuts the path to where the next input branches off: at `shared`, or a little earlier.
  void leave_path_at(int64_t shared) {
    while (!path_.empty() && (top().begin >= shared || shared - top().begin < least_)) {
      shared = std::min(shared, top().begin);
      path_.pop_back();
    }
    if (path_.empty() || top().end == shared) return;
    // The node becomes its tail; its beginning is a new node.
    const size_t tail = path_.back(), head = plan_.nodes.size();
    plan_.nodes.push_back(
        {.begin = top().begin, .end = shared, .input = top().input, .parent = top().parent});
    plan_.nodes[tail].begin = shared;
    plan_.nodes[tail].parent = static_cast<int64_t>(head);
    path_.back() = head;
  }

  size_t begin_leaf(size_t input) {
    const int64_t parent = path_.empty() ? -1 : static_cast<int64_t>(path_.back());
    const int64_t begin = path_.empty() ? 0 : top().end;
    path_.push_back(plan_.nodes.size());
    plan_.nodes.push_back(
        {.begin = begin, .end = length(plan_.inputs[input]), .input = input, .parent = parent});
    return path_.back();
  }

  ScorePlan& plan_;
  int64_t least_;
  std::vector<size_t> path_ = {};  // from a root to the leaf of the last input
};

}  // namespace

std::span<const TokenId> ScorePlan::ids(const ScoreNode& node) const {
  return std::span(inputs[node.input])
      .subspan(static_cast<size_t>(node.begin), static_cast<size_t>(node.end - node.begin));
}

int64_t ScorePlan::tokens() const {
  int64_t all = 0;
  for (const ScoreNode& node : nodes) all += node.end - node.begin;
  return all;
}

int64_t ScorePlan::longest() const {
  int64_t most = 0;
  for (const auto& input : inputs) most = std::max(most, length(input));
  return most;
}

std::vector<TokenId> scored_input(const ScoreRequest& request, int64_t positions) {
  std::vector<TokenId> ids = request.context;
  ids.insert(ids.end(), request.continuation.begin(), request.continuation.end() - 1);
  if (length(ids) > positions) ids.erase(ids.begin(), ids.end() - positions);
  return ids;
}

ScorePlan plan_scores(const std::vector<ScoreRequest>& requests, int64_t positions, int64_t least) {
  ScorePlan plan;
  std::vector<std::vector<TokenId>> all;
  for (const auto& request : requests) all.push_back(scored_input(request, positions));
  std::vector<size_t> order(requests.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return all[a] < all[b]; });

  TreeBuilder builder(plan, least);
  std::vector<size_t> leaf(requests.size());
  for (size_t place = 0; place < order.size(); ++place) {
    const size_t request = order[place];
    if (plan.inputs.empty() || plan.inputs.back() != all[request]) {
      plan.inputs.push_back(std::move(all[request]));
      leaf[request] = builder.add(plan.inputs.size() - 1);
    } else {
      leaf[request] = leaf[order[place - 1]];
    }
    const auto& continuation = requests[request].continuation;
    const int64_t first = length(plan.inputs.back()) - length(continuation);
    for (size_t i = 0; i < continuation.size(); ++i)
      plan.nodes[leaf[request]].rows.push_back({.position = first + static_cast<int64_t>(i),
                                                .target = continuation[i],
                                                .request = request});
  }
  // Rows were put at leaves: each goes up to the node that has its position.
  for (size_t n = 0; n < plan.nodes.size(); ++n) {
    std::vector<ScoreRow> mine;
    for (const ScoreRow& row : std::exchange(plan.nodes[n].rows, {})) {
      size_t owner = n;
      while (row.position < plan.nodes[owner].begin)
        owner = static_cast<size_t>(plan.nodes[owner].parent);
      if (owner == n) mine.push_back(row);
      else plan.nodes[owner].rows.push_back(row);
    }
    auto& rows = plan.nodes[n].rows;
    rows.insert(rows.end(), mine.begin(), mine.end());
  }
  for (size_t n = 0; n < plan.nodes.size(); ++n) {
    auto& rows = plan.nodes[n].rows;
    std::stable_sort(rows.begin(), rows.end(),
                     [](const ScoreRow& a, const ScoreRow& b) { return a.position < b.position; });
    if (plan.nodes[n].parent < 0) plan.roots.push_back(n);
    else plan.nodes[static_cast<size_t>(plan.nodes[n].parent)].children.push_back(n);
  }
  return plan;
}

}  // namespace helio::model
