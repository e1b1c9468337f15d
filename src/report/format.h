// Numbers and words as a reader sees them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace helio::report {

inline constexpr const char* kDash = "—";  // not run, not known; never 0

struct Character {
  uint32_t code = 0;
  size_t bytes = 1;  // that it takes up; 1 for a byte that begins no character
  bool valid = true;
};
// The first character of a text that is not empty.
Character next_character(std::string_view text);

// About how wide a text is at a font size, in the same unit: charts have no ruler.
double text_width(std::string_view text, double font_size);
// Cut to a width, "…" at the end when something is missing.
std::string fit(std::string_view text, double width, double font_size);

std::string grouped(int64_t value);                   // 1,234,567
std::string rounded(double value, int decimals);      // 3.142
std::string short_count(double value);                // 3.9 M
std::string bytes_text(double bytes);                 // 412 MB
std::string duration_text(double seconds);            // 1 h 02 min, 3 min 05 s, 4.2 s
std::string percent(double share, int decimals = 1);  // 67.3%
std::string short_hash(std::string_view hex);         // first 10 digits
std::string significant(double value);                // four digits that matter: 0.0005, 12.35

template <class T, class Show>
std::string or_dash(const std::optional<T>& value, Show&& show) {
  return value ? show(*value) : std::string(kDash);
}

}  // namespace helio::report
