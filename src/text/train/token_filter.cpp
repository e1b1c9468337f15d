#include "text/train/token_filter.h"

#include "text/unicode.h"

namespace helio::text {
namespace {

// Whether bytes that break off begin the UTF-8 of some Hangul letter. All of them have three bytes.
bool begins_hangul(std::string_view bytes) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  if (bytes.empty() || bytes.size() > 2 || (byte(0) & 0xF0) != 0xE0) return false;
  char32_t low = char32_t(byte(0) & 15) << 12, high = low | 0xFFF;
  if (bytes.size() == 2) {
    if ((byte(1) & 0xC0) != 0x80) return false;
    low |= char32_t(byte(1) & 63) << 6;
    high = low | 63;
  }
  for (char32_t code = low; code <= high; ++code)
    if (is_hangul(code)) return true;
  return false;
}

}  // namespace

bool is_hangul_token(std::string_view bytes) {
  constexpr std::string_view kMark = "\u2581";
  if (bytes.starts_with(' ')) bytes.remove_prefix(1);
  else if (bytes.starts_with(kMark)) bytes.remove_prefix(kMark.size());
  if (bytes.empty()) return false;
  for (size_t at = 0; at < bytes.size();) {
    const auto point = decode_utf8(bytes, at);
    if (!is_hangul(point.value)) return begins_hangul(bytes.substr(at));
    at += point.size;
  }
  return true;
}

}  // namespace helio::text
