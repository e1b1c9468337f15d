#include "data/repetition.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "core/hash.h"
#include "data/python_text.h"

namespace helio::data {
namespace {

__extension__ using Wide = unsigned __int128;
constexpr uint64_t kPrime = (uint64_t(1) << 61) - 1;
constexpr uint64_t kBase = 0x12F8D4A96E7B1C35ull & kPrime;
constexpr uint64_t kMix = 0x9E3779B97F4A7C15ull;

constexpr uint64_t multiply(uint64_t a, uint64_t b) {
  const auto product = static_cast<Wide>(a) * b;
  const uint64_t sum =
      (static_cast<uint64_t>(product) & kPrime) + static_cast<uint64_t>(product >> 61);
  return sum >= kPrime ? sum - kPrime : sum;
}
constexpr uint64_t add(uint64_t a, uint64_t b) {
  const uint64_t sum = a + b;
  return sum >= kPrime ? sum - kPrime : sum;
}
constexpr uint64_t subtract(uint64_t a, uint64_t b) { return a >= b ? a - b : a + kPrime - b; }

// kBase to the power n.
constexpr size_t kPowers = 1024;
uint64_t power(uint64_t n) {
  static const std::array<uint64_t, kPowers> small = [] {
    std::array<uint64_t, kPowers> made = {1};
    for (size_t i = 1; i < kPowers; ++i) made[i] = multiply(made[i - 1], kBase);
    return made;
  }();
  if (n < kPowers) return small[n];
  const uint64_t half = power(n / 2);
  const uint64_t square = multiply(half, half);
  return n % 2 ? multiply(square, kBase) : square;
}

// Hash of words in order from that of the words before the last, and the last's.
uint64_t chain(uint64_t before, uint64_t word) {
  const auto product = static_cast<Wide>(before ^ 0x5851F42D4C957F2Dull) * kMix;
  return (uint64_t(product) ^ uint64_t(product >> 64)) + word;
}

// kBytes[k][c]: byte c with k bytes of its group after it. Nobody waits for these products.
constexpr size_t kGroup = 4;
constexpr std::array<std::array<uint64_t, 256>, kGroup> kBytes = [] {
  std::array<std::array<uint64_t, 256>, kGroup> made = {};
  uint64_t base = 1;
  for (auto& of : made) {
    for (size_t c = 0; c < of.size(); ++c) of[c] = multiply(c + 1, base);
    base = multiply(base, kBase);
  }
  return made;
}();
constexpr uint64_t kGroupPower = multiply(multiply(kBase, kBase), multiply(kBase, kBase));

uint64_t letters_of(std::string_view word) {
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(word[at]); };
  uint64_t hash = 0;
  size_t at = 0;
  for (; at + kGroup <= word.size(); at += kGroup) {
    // Four numbers below 2^61 have room for one more in 64 bits.
    const uint64_t sum = kBytes[3][byte(at)] + kBytes[2][byte(at + 1)] + kBytes[1][byte(at + 2)] +
                         kBytes[0][byte(at + 3)] + multiply(hash, kGroupPower);
    const uint64_t folded = (sum & kPrime) + (sum >> 61);
    hash = folded >= kPrime ? folded - kPrime : folded;
  }
  for (; at < word.size(); ++at) hash = add(multiply(hash, kBase), byte(at) + 1u);
  return hash;
}

// Characters of a word in UTF-8, eight bytes at a time: words are too short for more.
int64_t chars_of(std::string_view word) {
  constexpr uint64_t kOnes = 0x0101010101010101ull;
  int64_t continuing = 0;
  size_t at = 0;
  for (; at + 8 <= word.size(); at += 8) {
    uint64_t bytes;
    std::memcpy(&bytes, word.data() + at, 8);
    continuing += int64_t(((bytes >> 7 & ~(bytes >> 6) & kOnes) * kOnes) >> 56);
  }
  for (; at < word.size(); ++at) continuing += (static_cast<uint8_t>(word[at]) & 0xC0) == 0x80;
  return int64_t(word.size()) - continuing;
}

// Open addressing over 64-bit hashes; the memory is kept by the thread. Entry has a `key`, which
// is 0 in a free one. Clearing what a text needs is cheap beside filling it.
template <class Entry>
class Table {
 public:
  static Table& of(size_t entries) {
    HELIO_CHECK(entries <= UINT32_MAX, "a text of more than four thousand million pieces");
    thread_local Table one;
    one.begin(entries);
    return one;
  }
  // False when it was there before.
  bool enter(uint64_t hash) {
    const uint64_t key = key_of(hash);
    Entry& entry = slots_[place(key)];
    return std::exchange(entry.key, key) == 0;
  }
  Entry& at(uint64_t hash) {
    const uint64_t key = key_of(hash);
    Entry& entry = slots_[place(key)];
    entry.key = key;
    return entry;
  }

 private:
  void begin(size_t entries) {
    const size_t slots = std::bit_ceil(entries * 2 + 2);
    // What one huge text needed is not held for ever.
    if (slots_.size() > kKept && slots < slots_.size() / 8) slots_ = {};
    if (slots > slots_.size()) slots_.resize(slots);
    std::fill_n(slots_.begin(), slots, Entry());
    mask_ = slots - 1;
    shift_ = 64 - std::countr_zero(slots);
  }

  static uint64_t key_of(uint64_t hash) { return hash | (uint64_t(1) << 63); }  // never 0
  // Where the key is, or the free place for it.
  size_t place(uint64_t key) const {
    size_t slot = (key * kMix) >> shift_;
    while (slots_[slot].key != key && slots_[slot].key != 0) slot = (slot + 1) & mask_;
    return slot;
  }

  static constexpr size_t kKept = size_t(1) << 18;
  std::vector<Entry> slots_ = {};
  size_t mask_ = 0;
  int shift_ = 63;
};

struct Counted {
  uint64_t key = 0;
  uint32_t count = 0, first = 0;  // first: where it was entered
};
using Counts = Table<Counted>;

struct Known {
  uint64_t key = 0;
};
using Seen = Table<Known>;

class PieceCounter {
 public:
  explicit PieceCounter(size_t most) : seen_(Seen::of(most)) {}
  void add(std::string_view piece) {
    ++repeats.of;
    if (seen_.enter(xxh3_64(piece))) return;
    ++repeats.pieces;
    repeats.chars += char_count(piece);
  }
  Repeats repeats = {};

 private:
  Seen& seen_;
};

}  // namespace

Repeats repeated_pieces(std::string_view text, size_t breaks) {
  PieceCounter counter(size_t(std::count(text.begin(), text.end(), '\n')) + 1);
  size_t begin = 0;
  for (size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at)) {
    size_t end = text.find_first_not_of('\n', at);
    if (end == text.npos) end = text.size();
    if (end - at >= breaks) {
      counter.add(text.substr(begin, at - begin));
      begin = end;
    }
    at = end;
  }
  counter.add(text.substr(begin));
  return counter.repeats;
}

Repeats repeated_of(const std::vector<std::string_view>& pieces) {
  PieceCounter counter(pieces.size());
  for (const std::string_view piece : pieces) counter.add(piece);
  return counter.repeats;
}

WordRuns::WordRuns(const std::vector<std::string_view>& words) : words_(words.size()) {
  chars_.reserve(words_ + 1);
  bytes_.reserve(words_ + 1);
  letters_.reserve(words_ + 1);
  hashes_.reserve(words_);
  int64_t chars = 0;
  uint64_t bytes = 0, letters = 0;
  const auto note = [&] {
    chars_.push_back(chars);
    bytes_.push_back(bytes);
    letters_.push_back(letters);
  };
  note();
  for (const std::string_view word : words) {
    const uint64_t hash = letters_of(word);  // alone: does not wait for the words before
    letters = add(multiply(letters, power(word.size())), hash);
    bytes += word.size();
    chars += chars_of(word);
    note();
    hashes_.push_back(hash * kMix);
  }
}

uint64_t WordRuns::letters_hash(size_t first, size_t n) const {
  return subtract(letters_[first + n],
                  multiply(letters_[first], power(bytes_[first + n] - bytes_[first])));
}

uint64_t WordRuns::run_hash(size_t first, size_t n) const {
  uint64_t hash = hashes_[first];
  for (size_t k = 1; k < n; ++k) hash = chain(hash, hashes_[first + k]);
  return hash;
}

std::pair<size_t, int64_t> WordRuns::commonest(size_t n) const {
  if (words_ < n) return {0, 0};
  const size_t runs = words_ - n + 1;
  Counts& seen = Counts::of(runs);
  uint32_t most = 0;
  size_t first = 0;  // of the commonest so far; of equally common ones the first entered
  for (size_t i = 0; i < runs; ++i) {
    Counted& entry = seen.at(run_hash(i, n));
    if (entry.count++ == 0) entry.first = static_cast<uint32_t>(i);
    if (entry.count > most || (entry.count == most && entry.first < first)) {
      most = entry.count;
      first = entry.first;
    }
  }
  return {first, most};
}

int64_t WordRuns::top_chars(size_t n, int64_t min_count) const {
  const auto [first, count] = commonest(n);
  if (count == 0 || count < min_count) return 0;
  return (chars(first, n) + int64_t(n) - 1) * count;
}

int64_t WordRuns::repeated_chars(size_t n) const {
  if (words_ < n) return 0;
  Seen& seen = Seen::of(words_ - n + 1);
  int64_t repeated = 0;
  for (size_t i = 0; i + n <= words_;) {
    if (seen.enter(letters_hash(i, n))) {
      ++i;
    } else {
      repeated += chars(i, n);
      i += n;
    }
  }
  return repeated;
}

int64_t WordRuns::top_letters(size_t n) const {
  const auto [first, count] = commonest(n);
  return count == 0 ? 0 : chars(first, n) * count;
}

double WordRuns::share_in_repeated(size_t n) const {
  if (words_ < n) return 0;
  const size_t runs = words_ - n + 1;
  Counts& seen = Counts::of(runs);
  int64_t all = 0, repeated = 0;
  for (size_t i = 0; i < runs; ++i) {
    const int64_t size = chars(i, n);
    const uint32_t before = seen.at(run_hash(i, n)).count++;
    all += size;
    repeated += before == 0 ? 0 : before == 1 ? 2 * size : size;
  }
  return double(repeated) / double(std::max<int64_t>(all, 1));
}

int64_t WordRuns::longest_top_letters(size_t n) const {
  if (words_ < n) return 0;
  const size_t runs = words_ - n + 1;
  Counts& seen = Counts::of(runs);
  uint32_t most = 0;
  int64_t longest = 0;
  for (size_t i = 0; i < runs; ++i) {
    const uint32_t count = ++seen.at(run_hash(i, n)).count;
    if (count < most) continue;
    longest = count > most ? chars(i, n) : std::max(longest, chars(i, n));
    most = count;
  }
  return most > 1 ? longest * int64_t(most) : 0;
}

int64_t WordRuns::letters_in_repeated(size_t n) const {
  if (words_ < n) return 0;
  const size_t runs = words_ - n + 1;
  Counts& seen = Counts::of(runs);
  for (size_t i = 0; i < runs; ++i) ++seen.at(run_hash(i, n)).count;
  int64_t letters = 0;
  size_t marked = 0;  // words before this one are counted
  for (size_t i = 0; i < runs; ++i) {
    if (seen.at(run_hash(i, n)).count < 2) continue;
    const size_t begin = std::max(i, marked);
    letters += chars_[i + n] - chars_[begin];
    marked = i + n;
  }
  return letters;
}

}  // namespace helio::data
