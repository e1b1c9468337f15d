// A fast hash of short texts for tables in memory; its values are kept nowhere.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace helio::text {

inline uint64_t hash_text(std::string_view text) {
  const char* at = text.data();
  size_t left = text.size();
  const auto load = [](const char* from, size_t bytes) {
    uint64_t value = 0;
    std::memcpy(&value, from, bytes);
    return value;
  };
  const auto fold = [](uint64_t a, uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  };
  uint64_t hash = 0x9E3779B97F4A7C15ull ^ left;
  for (; left > 16; at += 16, left -= 16)
    hash = fold(load(at, 8) ^ hash, load(at + 8, 8) ^ 0xA0761D6478BD642Full);
  uint64_t a = 0, b = 0;
  if (left >= 8) {
    a = load(at, 8);
    b = load(at + left - 8, 8);
  } else if (left >= 4) {
    a = load(at, 4);
    b = load(at + left - 4, 4);
  } else if (left > 0) {
    a = (uint64_t(static_cast<uint8_t>(at[0])) << 16) |
        (uint64_t(static_cast<uint8_t>(at[left / 2])) << 8) | static_cast<uint8_t>(at[left - 1]);
  }
  return fold(a ^ hash, b ^ 0xD6E8FEB86659FD93ull);
}

// Whether two short texts of `size` bytes are equal: without a call.
inline bool equal_bytes(const char* a, const char* b, size_t size) {
  const auto differ = [&]<class Word>(size_t at, Word) {
    Word x, y;
    std::memcpy(&x, a + at, sizeof(Word));
    std::memcpy(&y, b + at, sizeof(Word));
    return x != y;
  };
  if (size >= 8) {
    for (size_t at = 0; at + 8 < size; at += 8)
      if (differ(at, uint64_t())) return false;
    return !differ(size - 8, uint64_t());
  }
  if (size >= 4) return !differ(0, uint32_t()) && !differ(size - 4, uint32_t());
  if (size >= 2) return !differ(0, uint16_t()) && a[size - 1] == b[size - 1];
  return size == 0 || *a == *b;
}

}  // namespace helio::text
