// What a character is (Unicode 15 by utf8proc), words, and normal forms.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "text/utf8.h"

namespace helio::text {

// The general category's first letter: Letter, Mark, Number, Punctuation, Symbol, Z (separator),
// Other (controls, unassigned, surrogates, private use).
enum class Category : uint8_t { letter, mark, number, punctuation, symbol, separator, other };
Category category(char32_t code);

inline bool is_letter(char32_t code) { return category(code) == Category::letter; }
inline bool is_number(char32_t code) { return category(code) == Category::number; }
inline bool is_punctuation(char32_t code) { return category(code) == Category::punctuation; }
bool is_decimal_digit(char32_t code);  // category Nd
bool is_upper(char32_t code);          // categories Lu and Lt
bool is_lower(char32_t code);          // category Ll
bool is_control(char32_t code);        // category Cc
char32_t to_lower(char32_t code);      // simple mapping, one to one
char32_t to_title(char32_t code);      // simple mapping, one to one
std::string to_lower(std::string_view text);

// Unicode's White_Space property, the \s of Unicode-aware regexes.
constexpr bool is_white_space(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 9 && c <= 13);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}
// Python's str.isspace and str.split(): White_Space and the separators U+001C..U+001F.
constexpr bool is_python_space(char32_t c) { return is_white_space(c) || (c >= 0x1C && c <= 0x1F); }

constexpr bool is_hangul_syllable(char32_t c) { return c >= 0xAC00 && c <= 0xD7A3; }
// Letters of which syllables are made, in all their blocks (half-width ones included).
constexpr bool is_hangul_jamo(char32_t c) {
  return (c >= 0x1100 && c <= 0x11FF) || (c >= 0x3131 && c <= 0x318E) ||
         (c >= 0xA960 && c <= 0xA97C) || (c >= 0xD7B0 && c <= 0xD7FB) ||
         (c >= 0xFFA0 && c <= 0xFFDC);
}
constexpr bool is_hangul(char32_t c) { return is_hangul_syllable(c) || is_hangul_jamo(c); }
// Han characters: the unified blocks, their extensions and the compatibility forms.
constexpr bool is_han(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x3FFFD) || (c >= 0xF900 && c <= 0xFAFF) || c == 0x3005 ||
         c == 0x3007;
}

// Bytes with which one of Python's white space may begin: the ASCII ones, and C2 and E1 to E3 of
// the others. Any other byte is part of a word, in broken text as well.
inline constexpr std::array<bool, 256> kMayBeginSpace = [] {
  std::array<bool, 256> may = {};
  for (size_t c = 0; c < 0x80; ++c) may[c] = is_python_space(char32_t(c));
  for (const size_t lead : {0xC2, 0xE1, 0xE2, 0xE3}) may[lead] = true;
  return may;
}();

// Calls visit(std::string_view word) for each run of non-whitespace, as Python's str.split().
template <class Visit>
void for_each_word(std::string_view text, Visit&& visit) {
  size_t begin = std::string_view::npos;
  const auto in_word = [&](size_t at) { return !kMayBeginSpace[static_cast<uint8_t>(text[at])]; };
  for (size_t at = 0; at < text.size();) {
    if (in_word(at)) {
      if (begin == std::string_view::npos) begin = at;
      do ++at;
      while (at < text.size() && in_word(at));
      continue;
    }
    const auto point = decode_utf8(text, at);
    if (is_python_space(point.value)) {
      if (begin != std::string_view::npos) visit(text.substr(begin, at - begin));
      begin = std::string_view::npos;
    } else if (begin == std::string_view::npos) {
      begin = at;
    }
    at += point.size;
  }
  if (begin != std::string_view::npos) visit(text.substr(begin));
}

// Words (어절): len(text.split()) in Python.
int64_t count_words(std::string_view text);
std::vector<std::string_view> split_words(std::string_view text);
// Without Python's whitespace at both ends.
std::string_view trim(std::string_view text);

enum class NormalForm { nfc, nfd, nfkc, nfkd };
// Broken UTF-8 becomes U+FFFD first, so the result is always valid.
std::string normalize(std::string_view text, NormalForm form);
// Whether a character stays as it is in NFC whatever stands beside it; false where it is not known.
bool stays_in_nfc(char32_t code);

}  // namespace helio::text
