#include <algorithm>

#include "text/grammar/grammar.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

constexpr char32_t kLast = 0x10FFFF;
using Range = std::pair<char32_t, char32_t>;

}  // namespace

CharClass::CharClass(std::initializer_list<Range> ranges) {
  for (const auto& [first, last] : ranges) add(first, last);
}

CharClass CharClass::all() { return {{0, 0xD7FF}, {0xE000, kLast}}; }

CharClass& CharClass::add(char32_t first, char32_t last) {
  ranges_.emplace_back(first, last);
  std::sort(ranges_.begin(), ranges_.end());
  std::vector<Range> merged;
  for (const auto& range : ranges_) {
    if (!merged.empty() && range.first <= merged.back().second + 1)
      merged.back().second = std::max(merged.back().second, range.second);
    else merged.push_back(range);
  }
  ranges_ = std::move(merged);
  return *this;
}

CharClass& CharClass::add(const CharClass& other) {
  for (const auto& [first, last] : other.ranges_) add(first, last);
  return *this;
}

CharClass CharClass::inverted() const { return all().without(*this); }

CharClass CharClass::without(const CharClass& other) const {
  CharClass out;
  for (auto [first, last] : ranges_) {
    for (const auto& [from, to] : other.ranges_) {
      if (to < first) continue;
      if (from > last) break;
      if (from > first) out.ranges_.emplace_back(first, from - 1);
      first = to + 1;
      if (first > last) break;
    }
    if (first <= last) out.ranges_.emplace_back(first, last);
  }
  return out;
}

bool CharClass::has(char32_t code) const {
  return std::any_of(ranges_.begin(), ranges_.end(), [&](const Range& range) {
    return range.first <= code && code <= range.second;
  });
}

namespace {

ByteSet bytes_between(int first, int last) {
  ByteSet set;
  for (int byte = first; byte <= last; ++byte) set.set(static_cast<size_t>(byte));
  return set;
}

// The encodings of [first, last], which all have the same length, as products of byte ranges.
void encode(char32_t first, char32_t last, std::vector<std::vector<ByteSet>>& out) {
  for (int bits = 6; bits <= 18; bits += 6) {  // split where the bytes after a place are not all
    const char32_t mask = (char32_t(1) << bits) - 1;
    if ((first & ~mask) == (last & ~mask)) continue;
    if ((first & mask) != 0) {
      encode(first, first | mask, out);
      return encode((first | mask) + 1, last, out);
    }
    if ((last & mask) != mask) {
      encode(first, (last & ~mask) - 1, out);
      return encode(last & ~mask, last, out);
    }
  }
  std::string low, high;
  append_utf8(low, first);
  append_utf8(high, last);
  std::vector<ByteSet> product;
  for (size_t i = 0; i < low.size(); ++i)
    product.push_back(bytes_between(static_cast<uint8_t>(low[i]), static_cast<uint8_t>(high[i])));
  out.push_back(std::move(product));
}

}  // namespace

GrammarSequence GrammarBuilder::characters(const CharClass& given) {
  const CharClass wanted = given.without(CharClass{{0xD800, 0xDFFF}});
  if (const auto known = known_classes_.find(wanted); known != known_classes_.end())
    return known->second;
  ByteSet ascii;
  std::vector<std::vector<ByteSet>> products;
  for (const auto& [from, to] : wanted.ranges()) {
    static constexpr Range kLengths[] = {
        {0x80, 0x7FF}, {0x800, 0xD7FF}, {0xE000, 0xFFFF}, {0x10000, kLast}};
    for (char32_t code = from; code <= std::min<char32_t>(to, 0x7F); ++code) ascii.set(code);
    for (const auto& [low, high] : kLengths)
      if (from <= high && to >= low) encode(std::max(from, low), std::min(to, high), products);
  }
  std::vector<GrammarSequence> alternatives;
  if (ascii.any()) alternatives.push_back(byte(ascii));
  for (const auto& product : products) {
    GrammarSequence sequence;
    for (const auto& set : product) sequence.push_back(byte(set).front());
    alternatives.push_back(std::move(sequence));
  }
  GrammarSequence out = any_of(std::move(alternatives));
  known_classes_.emplace(wanted, out);
  return out;
}

}  // namespace helio::text
