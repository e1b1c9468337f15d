#include "text/tokenizer/bpe_scratch.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>

#include "text/tokenizer/tokenizer_parts.h"

namespace helio::text {
namespace {

constexpr uint32_t kNoRule = MergeTable::kNone;
constexpr int kPlaceBits = 32;

void find_ranks(const MergeTable& merges, BpeModel::Work& work) {
  work.ranks.resize(work.ids.size());
  for (size_t i = 0; i + 1 < work.ids.size(); ++i)
    work.ranks[i] = merges.rank(work.ids[i], work.ids[i + 1]);
}

enum class Sizes { leave, add };

// Symbols keep their places, and links pass over those merged into their left neighbours. A
// candidate is its rank and its place in one number, so that equal ranks come from left to right.
template <Sizes sizes>
void merge_long(const MergeTable& merges, BpeModel::Work& work) {
  auto& ids = work.ids;
  auto& ranks = work.ranks;
  auto& heap = work.heap;
  if (ids.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max()))
    throw malformed("a piece of " + std::to_string(ids.size()) + " characters is too long");
  const auto count = static_cast<int32_t>(ids.size());
  const auto place = [](int32_t i) { return static_cast<size_t>(i); };
  if (count == 0) return;
  work.before.resize(ids.size());
  work.behind.resize(ids.size());
  heap.clear();
  ranks[ids.size() - 1] = kNoRule;
  for (int32_t i = 0; i < count; ++i) {
    work.before[place(i)] = i - 1;
    work.behind[place(i)] = i + 1;  // count: none
    if (ranks[place(i)] != kNoRule)
      heap.push_back((uint64_t(ranks[place(i)]) << kPlaceBits) | static_cast<uint32_t>(i));
  }
  const std::greater<uint64_t> later;
  std::make_heap(heap.begin(), heap.end(), later);
  const auto look_up = [&](int32_t i) {
    const int32_t right = work.behind[place(i)];
    const uint32_t rank = right < count ? merges.rank(ids[place(i)], ids[place(right)]) : kNoRule;
    ranks[place(i)] = rank;
    if (rank == kNoRule) return;
    heap.push_back((uint64_t(rank) << kPlaceBits) | static_cast<uint32_t>(i));
    std::push_heap(heap.begin(), heap.end(), later);
  };
  while (!heap.empty()) {
    const auto i = static_cast<int32_t>(heap.front() & ~uint32_t(0));
    const auto rank = static_cast<uint32_t>(heap.front() >> kPlaceBits);
    std::pop_heap(heap.begin(), heap.end(), later);
    heap.pop_back();
    if (ranks[place(i)] != rank) continue;  // the neighbours have changed since
    const int32_t right = work.behind[place(i)], next = work.behind[place(right)];
    ids[place(i)] = merges.becomes(rank, ids[place(i)], ids[place(right)]);
    if (sizes == Sizes::add) work.sizes[place(i)] += work.sizes[place(right)];
    ids[place(right)] = -1;
    ranks[place(right)] = kNoRule;
    work.behind[place(i)] = next;
    if (next < count) work.before[place(next)] = i;
    if (work.before[place(i)] >= 0) look_up(work.before[place(i)]);
    look_up(i);
  }
  size_t kept = 0;
  for (int32_t i = 0; i < count; i = work.behind[place(i)], ++kept) {
    ids[kept] = ids[place(i)];
    if (sizes == Sizes::add) work.sizes[kept] = work.sizes[place(i)];
  }
  ids.resize(kept);
  if (sizes == Sizes::add) work.sizes.resize(kept);
  // One very long text does not hold on to its memory.
  if (work.before.size() > (1 << 20))
    for (auto* numbers : {&work.before, &work.behind}) *numbers = {};
  if (heap.capacity() > (1 << 20)) heap = {};
}

}  // namespace

void merge_short(const MergeTable& merges, BpeModel::Work& work) {
  const size_t count = work.ids.size();
  TokenId* const ids = work.ids.data();
  uint32_t* const ranks = work.ranks.data();
  std::array<uint8_t, kShortWord + 1> before, behind;  // places; `count` is none
  for (size_t i = 0; i < count; ++i) {
    before[i] = static_cast<uint8_t>(i == 0 ? count : i - 1);
    behind[i] = static_cast<uint8_t>(i + 1);
  }
  ranks[count - 1] = kNoRule;
  for (;;) {
    uint32_t least = kNoRule;
    size_t at = 0;
    for (size_t i = 0; i < count; ++i) {
      at = ranks[i] < least ? i : at;
      least = std::min(ranks[i], least);
    }
    if (least == kNoRule) break;
    const size_t right = behind[at], next = behind[right], left = before[at];
    ids[at] = merges.becomes(least, ids[at], ids[right]);
    ids[right] = -1;
    ranks[right] = kNoRule;
    behind[at] = static_cast<uint8_t>(next);
    if (next < count) before[next] = static_cast<uint8_t>(at);
    ranks[at] = next < count ? merges.rank(ids[at], ids[next]) : kNoRule;
    if (left < count) ranks[left] = merges.rank(ids[left], ids[at]);
  }
  size_t kept = 0;
  for (size_t i = 0; i < count; i = behind[i]) ids[kept++] = ids[i];
  work.ids.resize(kept);
}

void merge_all(const MergeTable& merges, BpeModel::Work& work) {
  if (work.ids.empty()) return;
  find_ranks(merges, work);
  if (work.ids.size() <= kShortWord) merge_short(merges, work);
  else merge_long<Sizes::leave>(merges, work);
}

void merge_all_sized(const MergeTable& merges, BpeModel::Work& work) {
  find_ranks(merges, work);
  merge_long<Sizes::add>(merges, work);
}

}  // namespace helio::text
