// Lines of a text for the operators that compare them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/hash.h"
#include "text/unicode.h"

namespace helio::data {

// Calls visit(line) for each piece between "\n".
template <class Visit>
void for_each_line(std::string_view text, Visit&& visit) {
  for (;;) {
    const size_t end = text.find('\n');
    visit(text.substr(0, end));
    if (end == text.npos) return;
    text.remove_prefix(end + 1);
  }
}

// Hash under which two lines are the same: without white space at their ends. 0 for a blank line.
inline uint64_t line_key(std::string_view line) {
  const std::string_view trimmed = text::trim(line);
  if (trimmed.empty()) return 0;
  const uint64_t hash = xxh3_64(trimmed);
  return hash == 0 ? 1 : hash;
}

// "- item", "• item", "3. step": a step that many recipes share belongs in each of them.
inline bool is_list_item(std::string_view line) {
  line = text::trim(line);
  if (line.starts_with("- ") || line.starts_with("\xE2\x80\xA2")) return true;
  const size_t digits = line.find_first_not_of("0123456789");
  return digits != line.npos && digits > 0 && line[digits] == '.';
}

// The text without the lines `left_out(line)` names; what stood round them keeps one blank line
// between its paragraphs and none at the ends.
template <class LeftOut>
std::string without_lines(std::string_view text, LeftOut&& left_out) {
  std::string result;
  result.reserve(text.size());
  bool blank = false;
  for_each_line(text, [&](std::string_view line) {
    if (text::trim(line).empty()) {
      blank = true;
    } else if (!left_out(line)) {
      if (!result.empty()) result += blank ? "\n\n" : "\n";
      result += line;
      blank = false;
    }
  });
  return result;
}

}  // namespace helio::data
