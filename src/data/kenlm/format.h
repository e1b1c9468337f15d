// KenLM's "probing" data structure (binary format version 5, as build_binary writes it), the one
// layout that models have here: a binary file is mapped, an ARPA file is built into the same bytes.
//
//   header       magic and test values, order, probing multiplier, model type, counts
//   vocabulary   8 bytes (version, number of words), then a table of murmur hash -> word id
//   unigrams     probability and backoff by word id; id 0 is <unk>
//   tables       of order 2 ... n: hash of the word ids, last word first -> weights
//   words        0-terminated, when the file has them; queries do not need them
//
// Of a probability (log10, never positive) the sign bit says that no longer n-gram ends with this
// one; a backoff of -0.0 says that no longer n-gram begins with it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace helio::data::kenlm {

inline constexpr size_t kMaxOrder = 16;
inline constexpr float kNoExtension = -0.0f;

struct Weights {
  float probability = 0, backoff = 0;
};

template <class T>
T load(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

uint64_t hash_of_word(std::string_view word);
constexpr uint64_t hash_with(uint64_t current, uint32_t next) {
  return (current * 8978948897894561157ULL) ^ ((1 + uint64_t(next)) * 17894857484156487943ULL);
}

inline constexpr size_t kWordEntry = 12;     // hash, id
inline constexpr size_t kMiddleEntry = 16;   // hash, probability, backoff
inline constexpr size_t kLongestEntry = 12;  // hash, probability
inline constexpr size_t kUnigramEntry = sizeof(Weights);

// Open addressing with linear probing; a key of 0 is an empty bucket.
struct Table {
  const char* begin = nullptr;
  uint64_t buckets = 1;
  size_t entry = kMiddleEntry;

  void prefetch(uint64_t key) const { __builtin_prefetch(begin + key % buckets * entry); }
  // The entry with this key, or null. Ends after one round in a damaged table without a free
  // bucket.
  const char* find(uint64_t key) const {
    uint64_t at = key % buckets;
    for (uint64_t tried = 0; tried < buckets; ++tried) {
      const char* const found = begin + at * entry;
      const auto have = load<uint64_t>(found);
      if (have == key) return found;
      if (have == 0) return nullptr;
      if (++at == buckets) at = 0;
    }
    return nullptr;
  }
};

// Where the parts lie behind the header.
struct Sections {
  uint64_t words = 8, word_buckets = 1;
  uint64_t unigrams = 0;
  std::vector<uint64_t> tables = {}, buckets = {};  // of order 2 ... n
  uint64_t size = 0;
};

// Of a model with so many n-grams of each order; throws what `too_large` makes when they take more
// than `limit` bytes.
template <class TooLarge>
Sections sections_of(const std::vector<uint64_t>& counts, float multiplier, uint64_t limit,
                     TooLarge&& too_large) {
  Sections parts;
  const auto take = [&](uint64_t count, uint64_t size) {
    if (count > (limit - parts.size) / size) too_large();
    parts.size += count * size;
  };
  const auto buckets = [&](uint64_t count) {
    if (double(count) * double(multiplier) > double(limit)) too_large();
    return std::max(count + 1, static_cast<uint64_t>(multiplier * static_cast<float>(count)));
  };
  take(1, parts.words);
  take(parts.word_buckets = buckets(counts[0]), kWordEntry);
  parts.unigrams = parts.size;
  take(counts[0] + 1, kUnigramEntry);  // one more for an <unk> that is not counted
  for (size_t n = 2; n <= counts.size(); ++n) {
    parts.tables.push_back(parts.size);
    parts.buckets.push_back(buckets(counts[n - 1]));
    take(parts.buckets.back(), n == counts.size() ? kLongestEntry : kMiddleEntry);
  }
  return parts;
}

// A model's bytes, ready to be asked. They must outlive it.
struct Tables {
  uint32_t words = 0;  // ids are below this
  Table vocabulary = {};
  const char* unigrams = nullptr;
  std::vector<Table> middle = {};  // of order 2 ... n - 1
  Table longest = {};
  size_t order() const { return middle.size() + 2; }
};

Tables tables_at(const char* bytes, const Sections& parts, uint64_t words);

bool is_binary(std::string_view bytes);
// Error{invalid} that names `source` and says what is wrong, or that this is another of KenLM's
// data structures. Sizes and offsets are checked against the file's; weights are not looked at.
Tables parse_binary(std::string_view bytes, const std::string& source);

}  // namespace helio::data::kenlm
