// UTF-8 in and out. Bytes that are no UTF-8 are read as U+FFFD the way Python's
// bytes.decode(errors="replace") does: one U+FFFD for each longest part that could have begun a
// character.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace helio::text {

inline constexpr char32_t kReplacement = 0xFFFD;

enum class Utf8 : uint8_t { valid, invalid };

struct CodePoint {
  char32_t value = 0;
  uint32_t size = 0;  // bytes it took, at least 1
  Utf8 status = Utf8::valid;
};

// The character at byte `at` (must be < text.size()), several bytes long or broken.
CodePoint decode_multibyte(std::string_view text, size_t at);

// The character at byte `at` (must be < text.size()).
inline CodePoint decode_utf8(std::string_view text, size_t at) {
  const auto first = static_cast<uint8_t>(text[at]);
  if (first < 0x80) return {first, 1, Utf8::valid};
  // U+1000 to U+D7FF, where Hangul, kana and most of Chinese stand.
  if (first >= 0xE1 && first <= 0xED && text.size() - at >= 3) {
    const auto second = static_cast<uint8_t>(text[at + 1]),
               third = static_cast<uint8_t>(text[at + 2]);
    if ((second & 0xC0) == 0x80 && (third & 0xC0) == 0x80 && (first != 0xED || second < 0xA0))
      return {(char32_t(first & 0x0F) << 12) | (char32_t(second & 0x3F) << 6) | (third & 0x3F), 3,
              Utf8::valid};
  }
  return decode_multibyte(text, at);
}

// Calls visit(char32_t, std::string_view bytes) for each character, in order.
template <class Visit>
void for_each_code_point(std::string_view text, Visit&& visit) {
  for (size_t at = 0; at < text.size();) {
    const auto point = decode_utf8(text, at);
    visit(point.value, text.substr(at, point.size));
    at += point.size;
  }
}

bool is_valid_utf8(std::string_view text);
// The same text with every broken part as U+FFFD; valid text comes back unchanged.
std::string repair_utf8(std::string_view text);

void append_utf8(std::string& out, char32_t code);  // surrogates and beyond U+10FFFF: U+FFFD
std::u32string to_code_points(std::string_view text);
std::string to_utf8(std::u32string_view code_points);
// Characters as Python's len() counts them.
int64_t count_code_points(std::string_view text);
// The longest beginning of `text` with at most `count` characters; never cuts one in two.
std::string_view first_code_points(std::string_view text, int64_t count);

}  // namespace helio::text
