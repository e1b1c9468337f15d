#include "data/kenlm/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "core/error.h"

namespace helio::data::kenlm {
namespace {

static_assert(std::endian::native == std::endian::little, "model files are little-endian");

constexpr std::string_view kMagicStart = "mmap lm http://kheafield.com/code format version";
constexpr std::string_view kIncomplete = "mmap lm http://kheafield.com/code incomplete\n";

// What a file begins with: the magic line, then numbers that other machines would write otherwise.
struct Sanity {
  char magic[56] = "mmap lm http://kheafield.com/code format version 5\n";
  float zero = 0, one = 1, minus_half = -0.5;
  uint32_t word_one = 1, word_max = UINT32_MAX, padding = 0;
  uint64_t long_one = 1;
};
static_assert(sizeof(Sanity) == 88);

struct Fixed {
  uint8_t order = 0, padding[3] = {};
  float multiplier = 0;
  uint32_t type = 0;
  uint8_t has_words = 0, more_padding[3] = {};
  uint32_t search_version = 0;
};
static_assert(sizeof(Fixed) == 20);

constexpr const char* kTypes[] = {"probing",
                                  "probing with rest costs",
                                  "trie",
                                  "trie with quantisation",
                                  "trie with array-compressed pointers",
                                  "trie with quantisation and array-compressed pointers"};

}  // namespace

// MurmurHash64A (Appleby, public domain) with seed 0.
uint64_t hash_of_word(std::string_view word) {
  constexpr uint64_t m = 0xc6a4a7935bd1e995ULL;
  uint64_t hash = word.size() * m;
  const char* at = word.data();
  for (size_t blocks = word.size() / 8; blocks > 0; --blocks, at += 8) {
    uint64_t k = load<uint64_t>(at) * m;
    k ^= k >> 47;
    hash = (hash ^ (k * m)) * m;
  }
  if (const size_t rest = word.size() % 8; rest > 0) {
    uint64_t tail = 0;
    std::memcpy(&tail, at, rest);
    hash = (hash ^ tail) * m;
  }
  hash = (hash ^ (hash >> 47)) * m;
  return hash ^ (hash >> 47);
}

Tables tables_at(const char* bytes, const Sections& parts, uint64_t words) {
  Tables tables;
  tables.words = static_cast<uint32_t>(words);
  tables.vocabulary = {bytes + parts.words, parts.word_buckets, kWordEntry};
  tables.unigrams = bytes + parts.unigrams;
  for (size_t i = 0; i + 1 < parts.tables.size(); ++i)
    tables.middle.push_back({bytes + parts.tables[i], parts.buckets[i], kMiddleEntry});
  tables.longest = {bytes + parts.tables.back(), parts.buckets.back(), kLongestEntry};
  return tables;
}

bool is_binary(std::string_view bytes) {
  return bytes.starts_with(kMagicStart) || bytes.starts_with(kIncomplete);
}

Tables parse_binary(std::string_view bytes, const std::string& source) {
  const auto refuse = [&](const std::string& what) {
    return Error(ErrorKind::invalid, fmt::format("{}: not a usable KenLM model: {}", source, what));
  };
  const auto expect = [&](bool good, const char* what) {
    if (!good) throw refuse(what);
  };
  const auto too_large = [&] { throw refuse("the file is shorter than its header says"); };
  expect(is_binary(bytes), "it does not begin like one");
  expect(!bytes.starts_with(kIncomplete), "building it was never finished");
  if (bytes.size() < sizeof(Sanity) + sizeof(Fixed)) too_large();
  const Sanity wanted;
  if (std::memcmp(bytes.data(), &wanted, sizeof wanted) != 0)
    throw refuse("not binary format version 5 of a 64-bit little-endian machine")
        .with_hint("build it again from the ARPA file, or give the ARPA file itself");
  const auto fixed = load<Fixed>(bytes.data() + sizeof(Sanity));
  expect(fixed.type < std::size(kTypes), "an unknown data structure");
  if (fixed.type != 0)
    throw refuse(fmt::format("its data structure is '{}', and 'probing' is what can be read",
                             kTypes[fixed.type]))
        .with_hint("build_binary probing MODEL.arpa MODEL.bin makes one; the ARPA file works too");
  expect(fixed.search_version == 0, "an unknown version of the probing tables");
  expect(fixed.order >= 2 && fixed.order <= kMaxOrder, "an order out of range");
  expect(fixed.multiplier >= 1 && fixed.multiplier <= 1e6f, "a probing multiplier out of range");

  const size_t header = (sizeof(Sanity) + sizeof(Fixed) + 8 * size_t(fixed.order) + 7) / 8 * 8;
  if (bytes.size() < header) too_large();
  std::vector<uint64_t> counts;
  for (size_t n = 0; n < fixed.order; ++n) {
    counts.push_back(load<uint64_t>(bytes.data() + sizeof(Sanity) + sizeof(Fixed) + 8 * n));
    if (counts.back() > bytes.size()) too_large();
  }
  const Sections parts = sections_of(counts, fixed.multiplier, bytes.size() - header, too_large);
  const char* const body = bytes.data() + header;
  expect(load<uint32_t>(body) == 0, "an unknown version of the vocabulary");
  const auto words = load<uint32_t>(body + 4);
  expect(words >= 1 && words <= counts[0] + 1, "a number of words out of range");
  if (fixed.has_words != 0)
    expect(bytes.substr(header + parts.size).starts_with(std::string_view("<unk>\0", 6)),
           "its words do not begin where they should");
  return tables_at(body, parts, words);
}

}  // namespace helio::data::kenlm
