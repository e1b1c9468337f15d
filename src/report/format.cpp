#include "report/format.h"

// Numbers and their units stay on one line: the spaces between them do not break.
#include <fmt/format.h>

#include <array>
#include <cmath>

namespace helio::report {
namespace {

bool wide(uint32_t code) {
  return (code >= 0x1100 && code <= 0x11ff) || (code >= 0x2e80 && code <= 0xd7ff) ||
         (code >= 0xf900 && code <= 0xfaff) || (code >= 0xfe30 && code <= 0xfe6f) ||
         (code >= 0xff00 && code <= 0xff60) || code >= 0x1f000;
}

double advance(uint32_t code) {  // in em, of a common sans-serif, on the generous side
  if (wide(code)) return 1.0;
  if (code >= 0x300 && code <= 0x36f) return 0;
  switch (code) {
    case 'i':
    case 'j':
    case 'l':
    case '.':
    case ',':
    case ':':
    case ';':
    case '\'':
    case '|':
    case '!':
      return 0.3;
    case 'm':
    case 'w':
    case 'M':
    case 'W':
    case '%':
    case '@':
      return 0.9;
    case ' ':
    case 0xa0:
    case 'f':
    case 't':
    case 'r':
    case 'I':
    case '/':
    case '(':
    case ')':
    case '-':
      return 0.38;
    default:
      return code >= 'A' && code <= 'Z' ? 0.68 : 0.57;
  }
}

}  // namespace

Character next_character(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const uint32_t first = byte(0);
  if (first < 0x80) return {.code = first};
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  constexpr Character kBroken{.code = 0xfffd, .bytes = 1, .valid = false};
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return kBroken;
  uint32_t code = first & (0xffu >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return kBroken;
    code = code << 6 | (byte(i) & 0x3f);
  }
  const bool too_long = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  if (too_long || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return kBroken;
  return {.code = code, .bytes = length};
}

double text_width(std::string_view text, double font_size) {
  double width = 0;
  while (!text.empty()) {
    const Character c = next_character(text);
    width += advance(c.code);
    text.remove_prefix(c.bytes);
  }
  return width * font_size;
}

std::string fit(std::string_view text, double width, double font_size) {
  if (text_width(text, font_size) <= width) return std::string(text);
  const double room = width / font_size - 0.9;  // for the ellipsis
  double used = 0;
  size_t end = 0;
  while (end < text.size()) {
    const Character c = next_character(text.substr(end));
    used += advance(c.code);
    if (used > room) break;
    end += c.bytes;
  }
  return std::string(text.substr(0, end)) + "…";
}

std::string grouped(int64_t value) {
  std::string digits = std::to_string(value);
  const size_t sign = value < 0 ? 1 : 0;
  for (size_t i = digits.size(); i > sign + 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string rounded(double value, int decimals) {
  if (!std::isfinite(value)) return kDash;
  std::string out = fmt::format("{:.{}f}", value, decimals);
  // "-0.00" is no number a reader should see.
  if (out.front() == '-' && out.find_first_not_of("-0.") == std::string::npos) out.erase(0, 1);
  return out;
}

std::string short_count(double value) {
  if (!std::isfinite(value)) return kDash;
  static constexpr std::array<const char*, 5> kUnits = {"", "\u00a0K", "\u00a0M", "\u00a0B",
                                                        "\u00a0T"};
  size_t unit = 0;
  while (std::abs(value) >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  if (unit == 0)
    return value == std::floor(value) ? fmt::format("{:.0f}", value) : rounded(value, 1);
  return rounded(value, std::abs(value) < 9.995   ? 2
                        : std::abs(value) < 99.95 ? 1
                                                  : 0) +
         kUnits[unit];
}

std::string bytes_text(double bytes) {
  if (!std::isfinite(bytes)) return kDash;
  static constexpr std::array<const char*, 5> kUnits = {"B", "KB", "MB", "GB", "TB"};
  size_t unit = 0;
  while (bytes >= 1000 && unit + 1 < kUnits.size()) {
    bytes /= 1000;
    ++unit;
  }
  return rounded(bytes, unit > 0 && bytes < 9.95 ? 1 : 0) + "\u00a0" + kUnits[unit];
}

std::string duration_text(double seconds) {
  if (!std::isfinite(seconds)) return kDash;
  if (seconds < 0.95) return fmt::format("{:.0f}\u00a0ms", seconds * 1000);
  if (seconds < 59.95) return fmt::format("{:.1f}\u00a0s", seconds);
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{}\u00a0min\u00a0{:02}\u00a0s", whole / 60, whole % 60);
  const int64_t minutes = (whole + 30) / 60;
  return fmt::format("{}\u00a0h\u00a0{:02}\u00a0min", minutes / 60, minutes % 60);
}

std::string percent(double share, int decimals) {
  return std::isfinite(share) ? rounded(100 * share, decimals) + "%" : kDash;
}

std::string short_hash(std::string_view hex) { return std::string(hex.substr(0, 10)); }

std::string significant(double value) {
  if (!std::isfinite(value)) return kDash;
  const double size = std::abs(value);
  if (size != 0 && (size < 1e-3 || size >= 1e7)) {
    std::string out = fmt::format("{:.3g}", value);
    if (const size_t e = out.find("e-0"); e != std::string::npos) out.erase(e + 2, 1);
    return out;
  }
  if (value == std::floor(value)) return grouped(static_cast<int64_t>(value));
  std::string out = rounded(value, size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4);
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out;
}

}  // namespace helio::report
