#include "text/utf8.h"

#include <simdjson.h>

namespace helio::text {
namespace {

constexpr bool is_continuation(uint8_t byte) { return (byte & 0xC0) == 0x80; }

}  // namespace

// Table 3-7 of the Unicode standard: the second byte's range depends on the first.
CodePoint decode_multibyte(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[at + i]); };
  const size_t left = text.size() - at;
  const uint8_t first = byte(0);
  if (first < 0x80) return {first, 1, Utf8::valid};
  if (first < 0xC2 || first > 0xF4) return {kReplacement, 1, Utf8::invalid};
  if (left < 2) return {kReplacement, 1, Utf8::invalid};
  const uint8_t second = byte(1);
  if (first < 0xE0) {
    if (!is_continuation(second)) return {kReplacement, 1, Utf8::invalid};
    return {(char32_t(first & 0x1F) << 6) | (second & 0x3F), 2, Utf8::valid};
  }
  const uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (second < low || second > high) return {kReplacement, 1, Utf8::invalid};
  if (left < 3 || !is_continuation(byte(2))) return {kReplacement, 2, Utf8::invalid};
  if (first < 0xF0)
    return {(char32_t(first & 0x0F) << 12) | (char32_t(second & 0x3F) << 6) | (byte(2) & 0x3F), 3,
            Utf8::valid};
  if (left < 4 || !is_continuation(byte(3))) return {kReplacement, 3, Utf8::invalid};
  return {(char32_t(first & 0x07) << 18) | (char32_t(second & 0x3F) << 12) |
              (char32_t(byte(2) & 0x3F) << 6) | (byte(3) & 0x3F),
          4, Utf8::valid};
}

bool is_valid_utf8(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

std::string repair_utf8(std::string_view text) {
  if (is_valid_utf8(text)) return std::string(text);
  std::string out;
  out.reserve(text.size());
  size_t copied = 0;
  for (size_t at = 0; at < text.size();) {
    const auto point = decode_utf8(text, at);
    if (point.status == Utf8::invalid) {
      out.append(text, copied, at - copied).append("\xEF\xBF\xBD");
      copied = at + point.size;
    }
    at += point.size;
  }
  return out.append(text, copied, text.size() - copied);
}

void append_utf8(std::string& out, char32_t code) {
  if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) code = kReplacement;
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

std::u32string to_code_points(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for_each_code_point(text, [&](char32_t code, std::string_view) { out.push_back(code); });
  return out;
}

std::string to_utf8(std::u32string_view code_points) {
  std::string out;
  out.reserve(code_points.size());
  for (const char32_t code : code_points) append_utf8(out, code);
  return out;
}

int64_t count_code_points(std::string_view text) {
  int64_t count = 0;
  if (text.size() >= 64 && is_valid_utf8(text)) {  // of short ones the check takes longer
    for (const char c : text) count += !is_continuation(static_cast<uint8_t>(c));
    return count;
  }
  for_each_code_point(text, [&](char32_t, std::string_view) { ++count; });
  return count;
}

std::string_view first_code_points(std::string_view text, int64_t count) {
  size_t at = 0;
  for (; count > 0 && at < text.size(); --count) at += decode_utf8(text, at).size;
  return text.substr(0, at);
}

}  // namespace helio::text
