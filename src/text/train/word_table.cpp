#include "text/train/word_table.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

#include "core/error.h"

namespace helio::text {

void WordTable::add(std::string_view word, int64_t count) {
  if ((words_ + 1) * 8 > slots_.size() * 5) grow();
  const auto hash = static_cast<uint32_t>(XXH3_64bits(word.data(), word.size()));
  const size_t mask = slots_.size() - 1;
  for (size_t i = hash & mask;; i = (i + 1) & mask) {
    Slot& slot = slots_[i];
    if (slot.chunk == kFree) return put(slot, hash, word, count);
    if (slot.hash != hash) continue;
    char* const place = chunks_[slot.chunk].bytes.get() + size_t(slot.at) * 8;
    Head head = head_at(place);
    if (head.size != word.size() || std::memcmp(place + sizeof head, word.data(), word.size()) != 0)
      continue;
    head.count += count;
    std::memcpy(place, &head, sizeof head);
    return;
  }
}

void WordTable::put(Slot& slot, uint32_t hash, std::string_view word, int64_t count) {
  if (word.size() > UINT32_MAX || words_ == UINT32_MAX / 2)
    throw Error(ErrorKind::failed, "more distinct words than a table holds")
        .with_hint("give a --memory limit, or train on a sample");
  const size_t room = room_of(word.size());
  if (chunks_.empty() || chunks_.back().size - chunks_.back().used < room) {
    const size_t size = std::max(kChunk, room);
    chunks_.push_back({std::make_unique_for_overwrite<char[]>(size), size, 0});
  }
  Chunk& chunk = chunks_.back();
  const Head head{count, static_cast<uint32_t>(word.size()), hash};
  std::memcpy(chunk.bytes.get() + chunk.used, &head, sizeof head);
  if (!word.empty())
    std::memcpy(chunk.bytes.get() + chunk.used + sizeof head, word.data(), word.size());
  slot = {hash, static_cast<uint32_t>(chunks_.size() - 1), static_cast<uint32_t>(chunk.used / 8)};
  chunk.used += room;
  ++words_;
}

void WordTable::grow() {
  std::vector<Slot> old(std::max<size_t>(1024, slots_.size() * 2));
  old.swap(slots_);
  const size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.chunk == kFree) continue;
    size_t i = slot.hash & mask;
    while (slots_[i].chunk != kFree) i = (i + 1) & mask;
    slots_[i] = slot;
  }
}

void WordTable::add(const WordTable& other) {
  other.for_each([&](std::string_view word, int64_t count) { add(word, count); });
}

size_t WordTable::memory() const {
  size_t bytes = slots_.size() * sizeof(Slot);
  for (const auto& chunk : chunks_) bytes += chunk.size;
  return bytes;
}

void WordTable::clear() { *this = WordTable(); }

}  // namespace helio::text
