#include "data/repetition.h"

#include <bit>
#include <unordered_set>

#include "core/hash.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

__extension__ using Wide = unsigned __int128;
constexpr uint64_t kPrime = (uint64_t(1) << 61) - 1;
constexpr uint64_t kWordBase = 0x0D3B2C51A7F9E64Bull & kPrime;
constexpr uint64_t kByteBase = 0x12F8D4A96E7B1C35ull & kPrime;

uint64_t multiply(uint64_t a, uint64_t b) {
  const auto product = static_cast<Wide>(a) * b;
  const uint64_t sum =
      (static_cast<uint64_t>(product) & kPrime) + static_cast<uint64_t>(product >> 61);
  return sum >= kPrime ? sum - kPrime : sum;
}
uint64_t add(uint64_t a, uint64_t b) {
  const uint64_t sum = a + b;
  return sum >= kPrime ? sum - kPrime : sum;
}
uint64_t subtract(uint64_t a, uint64_t b) { return a >= b ? a - b : a + kPrime - b; }

// Open addressing over hashes below 2^61.
class Table {
 public:
  explicit Table(size_t entries) {
    const size_t slots = std::bit_ceil(entries * 2 + 2);
    mask_ = slots - 1;
    keys_.assign(slots, kEmpty);
    counts_.assign(slots, 0);
  }
  // How often the key was there before.
  int32_t enter(uint64_t key) {
    size_t at = (key * 0x9E3779B97F4A7C15ull >> 20) & mask_;
    while (keys_[at] != kEmpty && keys_[at] != key) at = (at + 1) & mask_;
    keys_[at] = key;
    return counts_[at]++;
  }
  int32_t count(uint64_t key) const {
    size_t at = (key * 0x9E3779B97F4A7C15ull >> 20) & mask_;
    while (keys_[at] != kEmpty && keys_[at] != key) at = (at + 1) & mask_;
    return keys_[at] == key ? counts_[at] : 0;
  }

 private:
  static constexpr uint64_t kEmpty = ~uint64_t(0);
  size_t mask_;
  std::vector<uint64_t> keys_;
  std::vector<int32_t> counts_;
};

}  // namespace

Repeats repeated_pieces(std::string_view text, size_t breaks) {
  Repeats repeats;
  std::unordered_set<std::string_view> seen;
  size_t begin = 0;
  const auto end_piece = [&](size_t end) {
    const std::string_view piece = text.substr(begin, end - begin);
    ++repeats.of;
    if (!seen.insert(piece).second) {
      ++repeats.pieces;
      repeats.chars += text::count_code_points(piece);
    }
  };
  for (size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at)) {
    size_t end = text.find_first_not_of('\n', at);
    if (end == text.npos) end = text.size();
    if (end - at >= breaks) {
      end_piece(at);
      begin = end;
    }
    at = end;
  }
  end_piece(text.size());
  return repeats;
}

WordRuns::WordRuns(std::string_view text) {
  powers_.reserve(text.size() + 1);
  text::for_each_word(text, [&](std::string_view word) {
    ++words_;
    chars_.push_back(chars_.back() + text::count_code_points(word));
    sequence_.push_back(add(multiply(sequence_.back(), kWordBase), xxh3_64(word) & kPrime));
    uint64_t letters = letters_.back();
    for (const unsigned char c : word) {
      letters = add(multiply(letters, kByteBase), c + 1u);
      powers_.push_back(multiply(powers_.back(), kByteBase));
    }
    letters_.push_back(letters);
    bytes_.push_back(bytes_.back() + word.size());
  });
}

uint64_t WordRuns::sequence_hash(size_t first, size_t n) const {
  uint64_t power = 1;
  for (size_t i = 0; i < n; ++i) power = multiply(power, kWordBase);
  return subtract(sequence_[first + n], multiply(sequence_[first], power));
}

uint64_t WordRuns::letters_hash(size_t first, size_t n) const {
  const uint64_t power = powers_[bytes_[first + n] - bytes_[first]];
  return subtract(letters_[first + n], multiply(letters_[first], power));
}

int64_t WordRuns::top_chars(size_t n, int64_t min_count) const {
  if (words_ < n) return 0;
  const size_t runs = words_ - n + 1;
  Table table(runs);
  int32_t most = 0;
  for (size_t i = 0; i < runs; ++i) most = std::max(most, table.enter(sequence_hash(i, n)) + 1);
  if (most < min_count) return 0;
  for (size_t i = 0; i < runs; ++i)
    if (table.count(sequence_hash(i, n)) == most) return (chars(i, n) + int64_t(n) - 1) * most;
  return 0;
}

int64_t WordRuns::repeated_chars(size_t n) const {
  if (words_ < n) return 0;
  Table table(words_ - n + 1);
  int64_t repeated = 0;
  for (size_t i = 0; i + n <= words_;) {
    if (table.enter(letters_hash(i, n)) > 0) {
      repeated += chars(i, n);
      i += n;
    } else {
      ++i;
    }
  }
  return repeated;
}

}  // namespace helio::data
