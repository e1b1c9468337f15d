#include "data/words/uax29.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "data/words/word_break_tables.h"
#include "text/utf8.h"

namespace helio::data {
namespace {

uint8_t value_beyond(char32_t c) {
  const auto ranges = word_break_ranges();
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), c,
                       [](char32_t c, const WordBreakRange& r) { return c < r.first; });
  return after == ranges.begin() || c > std::prev(after)->last ? 0 : std::prev(after)->value;
}

uint8_t value_of(char32_t c) {
  static const std::array<uint8_t, 0x10000> low = [] {
    std::array<uint8_t, 0x10000> filled = {};
    for (const WordBreakRange& range : word_break_ranges())
      for (char32_t c = range.first; c <= range.last && c < filled.size(); ++c)
        filled[c] = range.value;
    return filled;
  }();
  return c < 0x10000 ? low[c] : value_beyond(c);
}

struct Unit {
  WordBreak kind = WordBreak::other;
  bool pictographic = false;
  size_t size = 0;  // 0: the end of the text
};

Unit unit_at(std::string_view text, size_t at) {
  if (at >= text.size()) return {};
  const auto point = text::decode_utf8(text, at);
  const uint8_t value = value_of(point.value);
  return {.kind = WordBreak(value & 31),
          .pictographic = (value & kPictographic) != 0,
          .size = point.size};
}

bool is_ignored(WordBreak k) {  // WB4
  return k == WordBreak::extend || k == WordBreak::format || k == WordBreak::zwj;
}
bool is_line_end(WordBreak k) {
  return k == WordBreak::cr || k == WordBreak::lf || k == WordBreak::newline;
}
bool is_letter(WordBreak k) { return k == WordBreak::letter || k == WordBreak::hebrew; }

// The first character at or after `at` that WB4 does not pass over.
Unit next_counted(std::string_view text, size_t at) {
  Unit unit = unit_at(text, at);
  while (unit.size > 0 && is_ignored(unit.kind)) unit = unit_at(text, at += unit.size);
  return unit;
}

// WB5 to WB13b between `left` and `right`, neither of which WB4 passes over; `before` stands before
// `left`, `after` after `right`.
bool joined(WordBreak before, WordBreak left, WordBreak right, const Unit& after) {
  using enum WordBreak;
  const auto mid_letter_like = [](WordBreak k) {
    return k == mid_letter || k == mid_num_let || k == single_quote;
  };
  const auto mid_num_like = [](WordBreak k) {
    return k == mid_num || k == mid_num_let || k == single_quote;
  };
  if (is_letter(left)) {
    if (is_letter(right) || right == numeric || right == extend_num_let) return true;  // 5, 9, 13a
    if (mid_letter_like(right) && after.size > 0 && is_letter(after.kind)) return true;        // 6
    if (left == hebrew && right == single_quote) return true;                                  // 7a
    return left == hebrew && right == double_quote && after.size > 0 && after.kind == hebrew;  // 7b
  }
  if (left == numeric) {
    if (right == numeric || is_letter(right) || right == extend_num_let) return true;  // 8, 10, 13a
    return mid_num_like(right) && after.size > 0 && after.kind == numeric;             // 12
  }
  if (left == katakana) return right == katakana || right == extend_num_let;  // 13, 13a
  if (left == extend_num_let)                                                 // 13a, 13b
    return right == extend_num_let || is_letter(right) || right == numeric || right == katakana;
  if (mid_letter_like(left) && is_letter(before) && is_letter(right)) return true;  // 7
  if (left == double_quote && before == hebrew && right == hebrew) return true;     // 7c
  return mid_num_like(left) && before == numeric && right == numeric;               // 11
}

}  // namespace

size_t uax29_segment(std::string_view text) {
  const Unit first = unit_at(text, 0);
  size_t at = first.size;
  if (first.kind == WordBreak::cr && unit_at(text, at).kind == WordBreak::lf) return at + 1;  // WB3
  if (is_line_end(first.kind)) return at;  // WB3a
  WordBreak before = WordBreak::other, left = first.kind, last = first.kind;
  size_t regionals = left == WordBreak::regional ? 1 : 0;
  for (;;) {
    const Unit right = unit_at(text, at);
    if (right.size == 0 || is_line_end(right.kind)) return at;                       // WB2, WB3b
    const bool emoji = last == WordBreak::zwj && right.pictographic;                 // WB3c
    const bool spaces = last == WordBreak::space && right.kind == WordBreak::space;  // WB3d
    if (is_ignored(right.kind)) {                                                    // WB4
      last = right.kind;
      at += right.size;
      continue;
    }
    bool go_on = emoji || spaces;
    if (!go_on && left == WordBreak::regional && right.kind == WordBreak::regional)  // WB15, WB16
      go_on = regionals % 2 == 1;
    if (!go_on) go_on = joined(before, left, right.kind, next_counted(text, at + right.size));
    if (!go_on) return at;
    regionals = right.kind == WordBreak::regional ? regionals + 1 : 0;
    before = left;
    left = last = right.kind;
    at += right.size;
  }
}

}  // namespace helio::data
