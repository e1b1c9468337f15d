#include "data/repetition.h"

#include <algorithm>
#include <array>
#include <bit>

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

// Open addressing over 64-bit hashes, kept by the thread: an entry of an earlier table is known by
// its number, so that nothing has to be cleared.
class Table {
 public:
  struct Entry {
    uint64_t key = 0;
    uint32_t table = 0;
    uint32_t count = 0;
    uint64_t first = 0;  // where it was entered first
  };

  void begin(size_t entries) {
    const size_t slots = std::bit_ceil(entries * 2 + 2);
    if (slots > slots_.size()) {
      slots_.assign(slots, {});
      number_ = 0;
    } else if (slots_.size() > kKept && slots * 8 < slots_.size()) {
      slots_.assign(slots, {});  // what one huge text needed is not held for ever
      slots_.shrink_to_fit();
      number_ = 0;
    }
    if (++number_ == 0) {
      slots_.assign(slots_.size(), {});
      number_ = 1;
    }
    shift_ = 64 - std::countr_zero(slots);
  }
  Entry& at(uint64_t key) {
    size_t slot = (key * kMix) >> shift_;
    const size_t mask = (size_t(1) << (64 - shift_)) - 1;
    for (;; slot = (slot + 1) & mask) {
      Entry& entry = slots_[slot];
      if (entry.table != number_) {
        entry = {.key = key, .table = number_, .count = 0, .first = 0};
        return entry;
      }
      if (entry.key == key) return entry;
    }
  }

 private:
  static constexpr size_t kKept = size_t(1) << 18;
  std::vector<Entry> slots_ = {};
  uint32_t number_ = 0;
  int shift_ = 63;
};

Table& table(size_t entries) {
  thread_local Table one;
  one.begin(entries);
  return one;
}

class PieceCounter {
 public:
  explicit PieceCounter(size_t most) : seen_(table(most)) {}
  void add(std::string_view piece) {
    ++repeats.of;
    if (seen_.at(xxh3_64(piece)).count++ == 0) return;
    ++repeats.pieces;
    repeats.chars += char_count(piece);
  }
  Repeats repeats = {};

 private:
  Table& seen_;
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
    uint64_t hash = 0;  // of the word alone: does not wait for the words before
    for (const unsigned char c : word) hash = add(multiply(hash, kBase), c + 1u);
    letters = add(multiply(letters, power(word.size())), hash);
    bytes += word.size();
    chars += char_count(word);
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
  Table& seen = table(runs);
  uint32_t most = 0;
  size_t first = 0;  // of the commonest so far; of equally common ones the first entered
  for (size_t i = 0; i < runs; ++i) {
    Table::Entry& entry = seen.at(run_hash(i, n));
    if (entry.count++ == 0) entry.first = i;
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
  Table& seen = table(words_ - n + 1);
  int64_t repeated = 0;
  for (size_t i = 0; i + n <= words_;) {
    if (seen.at(letters_hash(i, n)).count++ > 0) {
      repeated += chars(i, n);
      i += n;
    } else {
      ++i;
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
  Table& seen = table(runs);
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
  Table& seen = table(runs);
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
  Table& seen = table(runs);
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
