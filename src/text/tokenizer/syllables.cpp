// Why it is the same. Merging always takes the pair of the lowest rank. Let every syllable be at
// some step of its own merging. A pair over a border has to wait when its rank is above that of the
// next step of either side, for that step is then there and lower. If this holds for every border
// with an unfinished side, whatever its steps are, no pair over such a border is ever taken; and if
// all pairs over borders of finished syllables rank above all steps, these wait too. So all steps
// come first, in each syllable as in it alone, and the rest is merging what they made.
#include "text/tokenizer/syllables.h"

#include <algorithm>

namespace helio::text {
namespace {

constexpr uint32_t kNone = SyllableRules::kNone;
constexpr char32_t kFirst = 0xAC00, kLast = 0xD7A3;
constexpr uint32_t kSyllables = kLast - kFirst + 1, kAscii = 128;
constexpr uint32_t kUnits = kAscii + 2 * kSyllables;  // also with a space before them

struct Bytes {
  std::array<char, 4> bytes = {};
  size_t size = 0;
};
Bytes bytes_of(uint32_t number) {
  if (number < kAscii) return {{static_cast<char>(number)}, 1};
  const uint32_t place = (number - kAscii) % kSyllables, code = kFirst + place;
  const char a = static_cast<char>(0xE0 | (code >> 12)),
             b = static_cast<char>(0x80 | ((code >> 6) & 0x3F)),
             c = static_cast<char>(0x80 | (code & 0x3F));
  if (number - kAscii < kSyllables) return {{a, b, c}, 3};
  return {{' ', a, b, c}, 4};
}

// A unit's merging from its bytes on: the symbols and their sizes before each step and at the end.
struct Step {
  std::array<TokenId, 4> ids = {};
  std::array<uint8_t, 4> sizes = {};
  size_t count = 0;
  uint32_t next = kNone;  // the rank of the step

  TokenId left() const { return ids[0]; }
  TokenId right() const { return ids[count - 1]; }
  uint8_t left_size() const { return sizes[0]; }
  uint8_t right_size() const { return sizes[count - 1]; }
};
struct Steps {
  std::array<Step, 4> steps = {};
  size_t count = 0;  // 0: the vocabulary lacks a byte
  const Step* begin() const { return steps.data(); }
  const Step* end() const { return steps.data() + count; }
  const Step& last() const { return steps[count - 1]; }
};

Steps steps_of(const SyllableRules& rules, uint32_t number) {
  const auto [bytes, size] = bytes_of(number);
  Steps out;
  Step now;
  now.count = size;
  for (size_t i = 0; i < size; ++i) {
    now.ids[i] = rules.byte_id(bytes[i]);
    now.sizes[i] = 1;
    if (now.ids[i] < 0) return out;
  }
  for (;;) {
    size_t at = 0;
    now.next = kNone;
    for (size_t i = 0; i + 1 < now.count; ++i) {
      const uint32_t rank = rules.merges().rank(now.ids[i], now.ids[i + 1]);
      if (rank < now.next) at = i;
      now.next = std::min(rank, now.next);
    }
    out.steps[out.count++] = now;
    if (now.next == kNone) return out;
    now.ids[at] = rules.merges().becomes(now.next, now.ids[at], now.ids[at + 1]);
    now.sizes[at] = static_cast<uint8_t>(now.sizes[at] + now.sizes[at + 1]);
    for (size_t i = at + 1; i + 1 < now.count; ++i) {
      now.ids[i] = now.ids[i + 1];
      now.sizes[i] = now.sizes[i + 1];
    }
    --now.count;
  }
}

void lower(uint32_t& rank, uint32_t to) { rank = std::min(rank, to); }
void raise(uint32_t& rank, uint32_t to) { rank = std::max(rank, to); }

}  // namespace

SyllableRules::SyllableRules(const MergeTable& merges, const std::array<TokenId, 256>& byte_ids)
    : merges_(merges), byte_ids_(byte_ids) {
  // Which tokens are a syllable's first or last bytes, as far as merging makes them.
  enum : uint8_t { first1 = 1, first2 = 2, last1 = 4, last2 = 8 };
  std::vector<uint8_t> parts;
  const auto mark = [&](TokenId id, uint8_t part) {
    if (id < 0) return;
    if (parts.size() <= static_cast<size_t>(id)) parts.resize(static_cast<size_t>(id) + 1);
    parts[static_cast<size_t>(id)] = static_cast<uint8_t>(parts[static_cast<size_t>(id)] | part);
  };
  const auto mark_all = [&](size_t begin, size_t end, uint8_t one, uint8_t two) {
    for (size_t a = begin; a < end; ++a) {
      mark(byte_ids[a], one);
      for (size_t b = 0x80; b < 0xC0; ++b) {
        if (byte_ids[a] < 0 || byte_ids[b] < 0) continue;
        const uint32_t rank = merges.rank(byte_ids[a], byte_ids[b]);
        if (rank != kNone) mark(merges.becomes(rank, byte_ids[a], byte_ids[b]), two);
      }
    }
  };
  mark_all(0xEA, 0xEE, first1, first2);
  mark_all(0x80, 0xC0, last1, last2);
  const auto part = [&](TokenId id) {
    return static_cast<size_t>(id) < parts.size() ? parts[static_cast<size_t>(id)] : uint8_t(0);
  };
  merges.for_each([&](TokenId left, TokenId right, uint32_t rank) {
    const uint8_t behind = part(right) & (first1 | first2), before = part(left) & (last1 | last2);
    if (behind & first1) lower(borders_[left].behind[0], rank);
    if (behind & first2) lower(borders_[left].behind[1], rank);
    if (before & last1) lower(borders_[right].before[0], rank);
    if (before & last2) lower(borders_[right].before[1], rank);
  });
}

uint32_t SyllableStarts::Unit::steps() const {
  return std::max({left_steps[0], left_steps[1], right_steps[0], right_steps[1], whole_steps});
}

const SyllableStarts::Unit& SyllableStarts::unit(const SyllableRules& rules, uint32_t number) {
  Unit& unit = units_[number];
  if (unit.state != Unit::State::unknown) return unit;
  unit.state = Unit::State::unusable;
  const Steps steps = steps_of(rules, number);
  if (steps.count == 0) return unit;
  for (const Step& step : steps) {
    const auto behind = rules.border(step.right()).behind;
    for (size_t k = 0; k < 2; ++k) {
      lower(unit.border.behind[k], behind[k]);
      if (step.next == kNone) continue;
      if (step.left_size() == k + 1) raise(unit.left_steps[k], step.next + 1);
      if (step.right_size() == k + 1) raise(unit.right_steps[k], step.next + 1);
    }
    if (step.next != kNone && step.right_size() == 3) {
      raise(unit.whole_steps, step.next + 1);
      unit.whole = step.right();
    }
  }
  unit.border.before = rules.border(steps.last().left()).before;
  unit.ids = steps.last().ids;
  unit.count = static_cast<uint8_t>(steps.last().count);
  unit.state = Unit::State::known;
  return unit;
}

bool SyllableStarts::is_clear(const SyllableRules& rules, uint32_t left, uint32_t right) {
  const Unit &a = units_[left], &b = units_[right];
  if (a.border.behind[0] >= b.left_steps[0] && a.border.behind[1] >= b.left_steps[1] &&
      b.border.before[0] >= a.right_steps[0] && b.border.before[1] >= a.right_steps[1] &&
      (a.whole_steps == 0 || rules.merges().rank(a.whole, b.ids[0]) >= a.whole_steps))
    return true;
  constexpr uint32_t kAsked = 1u << 31, kClear = 1u << 30;
  const uint32_t pair = kAsked | (left << 15) | right;
  static_assert(kUnits < (1u << 15));
  uint32_t& slot = looked_[(pair * 0x9E3779B1u) >> 20];
  if ((slot & ~kClear) != pair) slot = pair | (look_closely(rules, left, right) ? kClear : 0);
  return (slot & kClear) != 0;
}

bool SyllableStarts::look_closely(const SyllableRules& rules, uint32_t left, uint32_t right) {
  const Steps before = steps_of(rules, left), behind = steps_of(rules, right);
  for (const Step& a : before)
    for (const Step& b : behind) {
      const uint32_t next = std::min(a.next, b.next);
      if (next != kNone && rules.merges().rank(a.right(), b.left()) <= next) return false;
    }
  return true;
}

bool SyllableStarts::start(const SyllableRules& rules, std::string_view word,
                           std::vector<TokenId>& ids, std::vector<uint32_t>& ranks) {
  const bool started = start_word(rules, word, ids, ranks);
  if (words_ < kTrial) {
    ++words_;
    bytes_ += word.size();
    symbols_ += started ? ids.size() : word.size();
  }
  return started;
}

bool SyllableStarts::start_word(const SyllableRules& rules, std::string_view word,
                                std::vector<TokenId>& ids, std::vector<uint32_t>& ranks) {
  if (units_.empty()) {
    units_.resize(kUnits);
    looked_.resize(1 << 12);
  }
  ids.clear();
  uint32_t steps = 0, last = kUnits;
  for (size_t at = 0; at < word.size();) {
    uint32_t number = static_cast<uint8_t>(word[at]);
    const size_t space = at == 0 && word[0] == ' ' && word.size() > 3 ? 1 : 0;
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(word[at + space + i]); };
    const uint8_t lead = byte(0);
    if (lead >= 0xEA && lead <= 0xED && at + space + 3 <= word.size()) {
      const char32_t code =
          (char32_t(lead & 15) << 12) | (char32_t(byte(1) & 63) << 6) | (byte(2) & 63);
      if (code < kFirst || code > kLast) return false;
      number = kAscii + (code - kFirst) + (space != 0 ? kSyllables : 0);
      at += space + 3;
    } else if (number < kAscii) {
      ++at;
    } else {
      return false;
    }
    const Unit& unit = this->unit(rules, number);
    if (unit.state != Unit::State::known) return false;
    if (last != kUnits && !is_clear(rules, last, number)) return false;
    steps = std::max(steps, unit.steps());
    ids.insert(ids.end(), unit.ids.begin(), unit.ids.begin() + unit.count);
    last = number;
  }
  ranks.resize(ids.size());
  uint32_t least = kNone;
  for (size_t i = 0; i + 1 < ids.size(); ++i) {
    ranks[i] = rules.merges().rank(ids[i], ids[i + 1]);
    least = std::min(least, ranks[i]);
  }
  return least >= steps;
}

}  // namespace helio::text
