#include "data/simplify.h"

#include <utf8proc.h>

#include "core/error.h"
#include "data/punctuation.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace helio::data {
namespace {

bool is_decimal_mark(char32_t c) {
  return c == '.' || c == ',' || c == 0x60C || c == 0x66B || (c >= 0x2396 && c <= 0x2398);
}

bool is_digit(char32_t c) {
  if (c < 0x80) return c >= '0' && c <= '9';
  return !is_plain_hangul(c) && text::is_decimal_digit(c);
}

// Python's str.lower(): one to one but for U+0130 (whose dot goes with the accents) and the sigma
// that ends a word.
char32_t lower(std::u32string_view text, size_t at) {
  const char32_t c = text[at];
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 0x20 : c;
  if (is_plain_hangul(c)) return c;
  if (c == 0x130) return 'i';
  if (c == 0x3A3) {
    const bool after = at > 0 && text::is_letter(text[at - 1]);
    const bool before = at + 1 < text.size() && text::is_letter(text[at + 1]);
    return after && !before ? 0x3C2 : 0x3C3;
  }
  return text::to_lower(c);
}

// Appends the canonical decomposition of `c` without non-spacing marks.
void append_bare(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
    return;
  }
  if (is_plain_hangul(c)) {
    const char32_t index = c - 0xAC00;
    text::append_utf8(out, 0x1100 + index / 588);
    text::append_utf8(out, 0x1161 + index % 588 / 28);
    if (index % 28 != 0) text::append_utf8(out, 0x11A7 + index % 28);
    return;
  }
  utf8proc_int32_t parts[32];
  int boundary = 0;
  const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), parts, 32,
                                             UTF8PROC_DECOMPOSE, &boundary);
  HELIO_CHECK(count >= 0 && count <= 32, "a character decomposes into more than 32");
  for (utf8proc_ssize_t i = 0; i < count; ++i)
    if (utf8proc_category(parts[i]) != UTF8PROC_CATEGORY_MN)
      text::append_utf8(out, static_cast<char32_t>(parts[i]));
}

}  // namespace

SimpleWords::SimpleWords(std::string_view input) {
  const std::u32string text = text::to_code_points(input);
  buffer_.reserve(input.size() + input.size() / 2);
  bool inside = false;  // of a word
  const auto put = [&](char32_t c) {
    if (!inside) {
      // An accent alone between spaces leaves nothing: the word begins with its first letter.
      const size_t before = buffer_.size();
      if (before > 0) buffer_ += ' ';
      const size_t begin = buffer_.size();
      append_bare(buffer_, c);
      if (buffer_.size() == begin) {
        buffer_.resize(before);
        return;
      }
      begins_.push_back(static_cast<uint32_t>(begin));
      inside = true;
      return;
    }
    append_bare(buffer_, c);
  };
  for (size_t at = 0; at < text.size();) {
    if (is_digit(text[at])) {
      while (at < text.size() && is_digit(text[at])) ++at;
      if (at + 1 < text.size() && is_decimal_mark(text[at]) && is_digit(text[at + 1])) {
        ++at;
        while (at < text.size() && is_digit(text[at])) ++at;
      }
      put('0');
      continue;
    }
    const char32_t c = lower(text, at++);
    if (is_stripped_punctuation(c) || text::is_python_space(c)) inside = false;
    else put(c);
  }
}

}  // namespace helio::data
