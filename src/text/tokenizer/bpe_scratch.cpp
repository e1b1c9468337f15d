#include "text/tokenizer/bpe_scratch.h"

#include <algorithm>
#include <functional>

namespace helio::text {
namespace {

constexpr uint32_t kNoRule = ~uint32_t(0);
// Up to here scanning for the lowest rank beats a heap.
constexpr size_t kShort = 96;

void merge_short(const MergeTable& merges, BpeModel::Work& s) {
  auto& ids = s.ids;
  size_t count = ids.size();
  s.ranks.resize(count);
  s.becomes.resize(count);
  const auto look_up = [&](size_t i) {
    const auto* rule = merges.find(ids[i], ids[i + 1]);
    s.ranks[i] = rule ? rule->rank : kNoRule;
    if (rule) s.becomes[i] = rule->id;
  };
  for (size_t i = 0; i + 1 < count; ++i) look_up(i);
  while (count > 1) {
    const auto begin = s.ranks.begin();
    const auto best = std::min_element(begin, begin + static_cast<std::ptrdiff_t>(count - 1));
    if (*best == kNoRule) break;
    const auto at = best - begin;
    const auto i = static_cast<size_t>(at);
    ids[i] = s.becomes[i];
    // The right neighbour leaves; what stands behind it moves up.
    std::copy(ids.begin() + at + 2, ids.begin() + static_cast<std::ptrdiff_t>(count),
              ids.begin() + at + 1);
    std::copy(begin + at + 2, begin + static_cast<std::ptrdiff_t>(count), begin + at + 1);
    std::copy(s.becomes.begin() + at + 2, s.becomes.begin() + static_cast<std::ptrdiff_t>(count),
              s.becomes.begin() + at + 1);
    --count;
    if (i + 1 < count) look_up(i);
    if (i > 0) look_up(i - 1);
  }
  ids.resize(count);
}

enum class Sizes { leave, add };

template <Sizes sizes>
void merge_long(const MergeTable& merges, BpeModel::Work& s) {
  using Candidate = BpeModel::Work::Candidate;
  auto& symbols = s.symbols;
  auto& heap = s.heap;
  const auto count = static_cast<int64_t>(s.ids.size());
  const auto at = [&](int64_t i) -> BpeModel::Work::Symbol& {
    return symbols[static_cast<size_t>(i)];
  };
  symbols.assign(s.ids.size(), {});
  heap.clear();
  for (int64_t i = 0; i < count; ++i)
    at(i) = {s.ids[static_cast<size_t>(i)],
             sizes == Sizes::add ? s.sizes[static_cast<size_t>(i)] : 0, i - 1,
             i + 1 < count ? i + 1 : -1, false};
  const auto consider = [&](int64_t i) {
    if (i < 0 || at(i).next < 0) return false;
    const auto* rule = merges.find(at(i).id, at(at(i).next).id);
    if (rule) heap.push_back({rule->rank, rule->id, i});
    return rule != nullptr;
  };
  const auto push = [&](int64_t i) {
    if (consider(i)) std::push_heap(heap.begin(), heap.end(), std::greater<Candidate>());
  };
  for (int64_t i = 0; i + 1 < count; ++i) consider(i);
  std::make_heap(heap.begin(), heap.end(), std::greater<Candidate>());
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<Candidate>());
    const Candidate top = heap.back();
    heap.pop_back();
    auto& left = at(top.at);
    if (left.gone || left.next < 0) continue;
    auto& right = at(left.next);
    const auto* rule = merges.find(left.id, right.id);
    if (!rule || rule->id != top.becomes) continue;  // the neighbours have changed since
    left.id = top.becomes;
    left.size += right.size;
    right.gone = true;
    left.next = right.next;
    if (left.next >= 0) at(left.next).previous = top.at;
    push(left.previous);
    push(top.at);
  }
  s.ids.clear();
  if (sizes == Sizes::add) s.sizes.clear();
  for (const auto& symbol : symbols) {
    if (symbol.gone) continue;
    s.ids.push_back(symbol.id);
    if (sizes == Sizes::add) s.sizes.push_back(symbol.size);
  }
}

}  // namespace

void merge_all(const MergeTable& merges, BpeModel::Work& work) {
  if (work.ids.size() <= kShort) merge_short(merges, work);
  else merge_long<Sizes::leave>(merges, work);
}

void merge_all_sized(const MergeTable& merges, BpeModel::Work& work) {
  merge_long<Sizes::add>(merges, work);
}

}  // namespace helio::text
