#include "data/dedup/clusters.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"

namespace helio::data {

void SurvivorRule::check() const {
  if (keep == "quality" && score.empty())
    throw Error(ErrorKind::invalid, "keep: quality does not say by which score")
        .with_hint("add score: NAME, a score that an earlier step gives each document");
  if (keep == "partner" && partners.empty())
    throw Error(ErrorKind::invalid, "keep: partner does not say which partners come first")
        .with_hint("add partners: [FIRST, SECOND, ...]");
}

double SurvivorRule::rank(const Document& document) const {
  if (keep == "quality") {
    const auto found = document.scores.find(score);
    if (found == document.scores.end() || std::isnan(found->second))
      return std::numeric_limits<double>::infinity();
    return -found->second;
  }
  if (keep == "partner")
    return double(std::find(partners.begin(), partners.end(), document.partner) - partners.begin());
  return 0;
}

Clusters::Clusters(uint64_t documents, const StageContext& context) {
  if (documents * sizeof(uint64_t) > context.memory)
    throw Error(ErrorKind::memory,
                fmt::format("clusters of {} documents take {} MB, more than the {} MB a stage has",
                            documents, documents >> 17, context.memory >> 20))
        .with_hint("give --memory more than 16 bytes a document");
  state_.resize(documents);
  std::iota(state_.begin(), state_.end(), uint64_t(0));
}

uint64_t Clusters::memory_left(const StageContext& context) const {
  const uint64_t taken = state_.size() * sizeof(uint64_t);
  return std::max(context.memory - std::min(taken, context.memory), context.memory / 4);
}

uint64_t Clusters::root(uint64_t order) {
  while (state_[order] != order) order = state_[order] = state_[state_[order]];
  return order;
}

// The smaller root stays, so a cluster's root is its first document whatever the order of links.
void Clusters::link(uint64_t a, uint64_t b) {
  a = root(a), b = root(b);
  state_[std::max(a, b)] = std::min(a, b);
}

void Clusters::take_first() {
  for (uint64_t i = 0; i < state_.size(); ++i) state_[i] = state_[state_[i]];
  for (uint64_t& order : marked_) order = state_[order];
  std::sort(marked_.begin(), marked_.end());
  marked_.erase(std::unique(marked_.begin(), marked_.end()), marked_.end());
  // Roots come before their members, so a root's own state is what it was until the last line.
  std::vector<bool> alone(state_.size(), true);
  for (uint64_t i = 0; i < state_.size(); ++i)
    if (state_[i] != i) alone[state_[i]] = false;
  for (uint64_t i = 0; i < state_.size(); ++i) {
    if (!marked_.empty() && std::binary_search(marked_.begin(), marked_.end(), state_[i]))
      state_[i] = kIndexed;
    else if (state_[i] == i && alone[i]) state_[i] = kAlone;
  }
  marked_ = {};
}

void Clusters::choose(const std::function<void(const Ranked&)>& ranked, SortOptions options) {
  struct Member {
    uint64_t first;
    double rank;
    uint64_t order;
    auto operator<=>(const Member&) const = default;
  };
  ExternalSorter<Member> members(std::move(options));
  ranked([&](uint64_t order, double rank) {
    if (state_[order] < kIndexed) members.push({state_[order], rank, order});
  });
  Member best = {.first = kAlone, .rank = 0, .order = 0};
  for (Member member; members.next(member);) {
    if (member.first != best.first) best = member;
    state_[member.order] = best.order;
  }
}

void Clusters::finish(Counters& counters) {
  survivors_.clear();
  std::vector<bool> has_duplicates(state_.size(), false);
  int64_t indexed = 0;
  for (uint64_t i = 0; i < state_.size(); ++i) {
    indexed += state_[i] == kIndexed;
    if (state_[i] < kIndexed && state_[i] != i) has_duplicates[state_[i]] = true;
  }
  for (uint64_t i = 0; i < state_.size(); ++i) {
    if (has_duplicates[i]) survivors_.push_back(i);
    else if (state_[i] == i) state_[i] = kAlone;
  }
  counters["duplicate_clusters"] += static_cast<int64_t>(survivors_.size());
  if (indexed > 0) counters["in_index"] += indexed;
}

}  // namespace helio::data
