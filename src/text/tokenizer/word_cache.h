// Words seen lately and their ids.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string_view>
#include <vector>

#include "text/tokenizer/big_pages.h"
#include "text/tokenizer/token_buffer.h"

namespace helio::text {

// A word of up to 31 bytes as four numbers: zeros behind its bytes, its size in the last ones.
struct WordKey {
  static constexpr size_t kLongest = 31;
  std::array<uint64_t, 4> parts = {};

  // `readable` bytes can be read from the word's first on: 32 of them save a copy.
  WordKey(std::string_view word, size_t readable) {
    static_assert(std::endian::native == std::endian::little);
    if (readable >= sizeof(parts)) std::memcpy(parts.data(), word.data(), sizeof(parts));
    else std::memcpy(parts.data(), word.data(), word.size());
    const auto& mask = kMasks[word.size()];
    for (size_t i = 0; i < 4; ++i) parts[i] &= mask[i];
    parts[3] |= static_cast<uint64_t>(word.size()) << 59;
  }
  WordKey() = default;

  uint64_t hash() const {
    return fold(parts[0] ^ 0x9E3779B97F4A7C15ull, parts[1] ^ 0xD6E8FEB86659FD93ull) ^
           fold(parts[2] ^ 0xA0761D6478BD642Full, parts[3] ^ 0xE7037ED1A0B428DBull);
  }

 private:
  static constexpr std::array<std::array<uint64_t, 4>, 32> kMasks = [] {
    std::array<std::array<uint64_t, 4>, 32> masks = {};
    for (size_t size = 0; size < 32; ++size)
      for (size_t byte = 0; byte < size; ++byte)
        masks[size][byte / 8] |= uint64_t(0xFF) << (8 * (byte % 8));
    return masks;
  }();
  static uint64_t fold(uint64_t a, uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }
};

// Words of up to 31 bytes and 8 ids, a cache line each, direct-mapped: a lookup is one line, which
// can be fetched beforehand, and a newcomer simply takes the place. Grows with what it has seen.
class WordCache {
 public:
  struct alignas(64) Slot {
    static constexpr size_t kIds = 8;
    WordKey key = {};  // three bits above the size have one less than the number of ids
    TokenId ids[kIds] = {};

    bool holds(const WordKey& word) const {
      const auto& a = key.parts;
      const auto& b = word.parts;
      return (((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2])) | ((a[3] & ~kCountMask) ^ b[3])) == 0;
    }
    size_t count() const { return ((key.parts[3] & kCountMask) >> 56) + 1; }
    void keep(const WordKey& word, const TokenId* found, size_t count) {
      key = word;
      key.parts[3] |= static_cast<uint64_t>(count - 1) << 56;
      std::copy_n(found, count, ids);
    }

   private:
    static constexpr uint64_t kCountMask = uint64_t(7) << 56;
  };
  static_assert(sizeof(Slot) == 64);

  // Makes room if many words have come since it was last asked: slots are others afterwards.
  void grow_if_full() {
    if (kept_ <= slots_.size() || slots_.size() == kMostSlots) return;
    BigVector<Slot> old(slots_.empty() ? kLeastSlots : std::min(slots_.size() * 4, kMostSlots));
    old.swap(slots_);
    kept_ = 1;
    for (const auto& slot : old)
      if (slot.key.parts[3] != 0) *this->slot(without_count(slot.key)) = slot;
  }
  // Where a word is or would be; after the first grow_if_full().
  Slot* slot(const WordKey& word) { return &slots_[word.hash() & (slots_.size() - 1)]; }
  void keep(Slot* slot, const WordKey& word, const TokenId* ids, size_t count) {
    if (count == 0 || count > Slot::kIds) return;
    slot->keep(word, ids, count);
    ++kept_;
  }

 private:
  static constexpr size_t kLeastSlots = 1 << 10, kMostSlots = 1 << 17;
  static WordKey without_count(WordKey key) {
    key.parts[3] &= ~(uint64_t(7) << 56);
    return key;
  }

  BigVector<Slot> slots_ = {};
  size_t kept_ = 1;
};

// The same for longer words and more ids.
class LongWordCache {
 public:
  struct Slot {
    uint8_t size = 0, count = 0;
    char bytes[126] = {};  // long runs of spaces in code
    TokenId ids[32] = {};

    bool holds(std::string_view word) const {
      return size == word.size() && std::memcmp(bytes, word.data(), word.size()) == 0;
    }
    void keep(std::string_view word, const TokenId* found, size_t number) {
      if (number > std::size(ids)) return;
      size = static_cast<uint8_t>(word.size());
      count = static_cast<uint8_t>(number);
      std::memcpy(bytes, word.data(), word.size());
      std::copy_n(found, number, ids);
    }
  };
  static_assert(sizeof(Slot) == 256);

  // Where a word is or would be; null when it is not to be cached.
  Slot* slot(std::string_view word) {
    if (word.size() > sizeof(Slot::bytes)) return nullptr;
    if (slots_.empty()) {
      // A few short texts are not worth megabytes.
      if ((seen_ += word.size()) < (16 << 10)) return nullptr;
      slots_.resize(kSlots);
    }
    return &slots_[hash(word) & (kSlots - 1)];
  }

 private:
  static constexpr size_t kSlots = 1 << 14;

  static size_t hash(std::string_view word) {
    uint64_t h = word.size() * 0x9E3779B97F4A7C15ull;
    size_t i = 0;
    const auto mix = [&](uint64_t part) {
      h = (h ^ part) * 0xD6E8FEB86659FD93ull;
      h ^= h >> 32;
    };
    for (; i + 8 <= word.size(); i += 8) {
      uint64_t part;
      std::memcpy(&part, word.data() + i, 8);
      mix(part);
    }
    if (i < word.size()) {
      uint64_t part = 0;
      std::memcpy(&part, word.data() + i, word.size() - i);
      mix(part);
    }
    return static_cast<size_t>(h ^ (h >> 17));
  }

  BigVector<Slot> slots_ = {};
  size_t seen_ = 0;
};

// Encodes pieces by the cache where it knows them, else by encode_word(piece, out), which appends.
// `text` is what can be read: pieces that lie in it are read without a copy.
class CachedWords {
 public:
  template <class EncodeWord>
  void encode(std::string_view text, const std::string_view* pieces, size_t count, TokenBuffer& out,
              EncodeWord&& encode_word) {
    for (; count > kBatch; pieces += kBatch, count -= kBatch)
      encode_batch(text, pieces, kBatch, out, encode_word);
    encode_batch(text, pieces, count, out, encode_word);
  }

 private:
  static constexpr size_t kBatch = 64;

  template <class EncodeWord>
  void encode_batch(std::string_view text, const std::string_view* pieces, size_t count,
                    TokenBuffer& out, EncodeWord& encode_word) {
    cache_.grow_if_full();
    const auto begin = reinterpret_cast<uintptr_t>(text.data()), end = begin + text.size();
    for (size_t i = 0; i < count; ++i) {
      slots_[i] = nullptr;
      if (pieces[i].size() > WordKey::kLongest) continue;
      const auto at = reinterpret_cast<uintptr_t>(pieces[i].data());
      keys_[i] = WordKey(pieces[i], at >= begin && at < end ? end - at : 0);
      slots_[i] = cache_.slot(keys_[i]);
      __builtin_prefetch(slots_[i]);
    }
    for (size_t i = 0; i < count; ++i) {
      auto* const slot = slots_[i];
      if (slot && slot->holds(keys_[i])) {
        std::copy_n(slot->ids, WordCache::Slot::kIds, out.writer(WordCache::Slot::kIds));
        out.advance(slot->count());
        continue;
      }
      const size_t before = out.size();
      encode_word(pieces[i], out);
      if (slot) cache_.keep(slot, keys_[i], out.data() + before, out.size() - before);
    }
  }

  WordCache cache_ = {};
  std::array<WordKey, kBatch> keys_ = {};
  std::array<WordCache::Slot*, kBatch> slots_ = {};
};

}  // namespace helio::text
