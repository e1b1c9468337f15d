// Small things the published filters do to a text, as Python does them.
#pragma once

#include <cstdint>
#include <string_view>

#include "text/unicode.h"

namespace helio::data {

inline constexpr std::string_view kEllipsisSign = "\xE2\x80\xA6", kBulletSign = "\xE2\x80\xA2";

// What str.splitlines() breaks at ("\r\n" is one break).
constexpr bool is_python_line_break(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

// Calls visit(line) for each of text.splitlines(): no last empty one.
template <class Visit>
void for_each_python_line(std::string_view text, Visit&& visit) {
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const auto byte = static_cast<uint8_t>(text[at]);
    // Of longer characters only those that begin with C2 and E2 break lines.
    if (byte >= 0x20 && byte != 0xC2 && byte != 0xE2) {
      ++at;
      continue;
    }
    const auto point = text::decode_utf8(text, at);
    const size_t end = at;
    at += point.size;
    if (!is_python_line_break(point.value)) continue;
    if (point.value == '\r' && at < text.size() && text[at] == '\n') ++at;
    visit(text.substr(begin, end - begin));
    begin = at;
  }
  if (begin < text.size()) visit(text.substr(begin));
}

// text.count(piece)
inline int64_t count_of(std::string_view text, std::string_view piece) {
  int64_t count = 0;
  for (size_t at = text.find(piece); at != text.npos; at = text.find(piece, at + piece.size()))
    ++count;
  return count;
}

// len(text)
inline int64_t char_count(std::string_view text) {
  for (const char c : text)
    if (static_cast<uint8_t>(c) >= 0x80) return text::count_code_points(text);
  return int64_t(text.size());
}

// The character a text (not empty) ends with.
inline char32_t last_char(std::string_view text) {
  size_t at = text.size() - 1;
  while (at > 0 && text.size() - at < 4 && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80) --at;
  const auto point = text::decode_utf8(text, at);
  return at + point.size == text.size() ? point.value : text::kReplacement;
}

}  // namespace helio::data
