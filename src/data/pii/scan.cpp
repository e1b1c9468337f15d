#include "data/pii/scan.h"

#include <algorithm>

namespace helio::data::pii {
namespace {

// Bytes of the dash at `at`: the ASCII one, U+2010..U+2015, the minus sign, the full-width one.
size_t dash_size(std::string_view text, size_t at) {
  if (at >= text.size()) return 0;
  if (text[at] == '-') return 1;
  const std::string_view three = text.substr(at, 3);
  if (three.size() < 3) return 0;
  if (three.starts_with("\xE2\x80") && three[2] >= '\x90' && three[2] <= '\x95') return 3;
  return three == "\xE2\x88\x92" || three == "\xEF\xBC\x8D" ? 3 : 0;
}

struct Separator {
  char kind = 0;
  size_t size = 0;
};

Separator separator_at(std::string_view text, size_t at) {
  size_t end = at;
  char kind = 0;
  if (char_at(text, end) == ')') {
    kind = ')';
    ++end;
    if (char_at(text, end) == ' ' || char_at(text, end) == '-') ++end;
  } else if (text[end] == '.') {
    kind = '.';
    ++end;
  } else {
    if (text[end] == ' ') {
      kind = ' ';
      ++end;
    }
    if (const size_t dash = dash_size(text, end)) {
      kind = '-';
      end += dash;
      if (char_at(text, end) == ' ') ++end;
    }
  }
  if (kind == 0 || end >= text.size() || !is_digit(text[end])) return {};
  return {kind, end - at};
}

}  // namespace

Digits digits_from(std::string_view text, size_t begin) {
  Digits run;
  run.group_count = 1;
  for (size_t at = begin; at < text.size() && run.count < Digits::kMost;) {
    if (is_digit(text[at])) {
      run.digits[run.count] = text[at++];
      run.ends[run.count++] = at;
      ++run.groups[run.group_count - 1];
      continue;
    }
    const Separator separator = separator_at(text, at);
    if (separator.kind == 0) break;
    run.separators[run.group_count++] = separator.kind;
    at += separator.size;
  }
  return run;
}

size_t Digits::fits(std::initializer_list<size_t> sizes) const {
  if (group_count < sizes.size()) return 0;
  if (!std::equal(sizes.begin(), sizes.end(), groups)) return 0;
  size_t total = 0;
  for (const size_t size : sizes) total += size;
  return total;
}

bool Digits::separated_by(char c, size_t n) const {
  for (size_t i = 1; i < n && i < group_count; ++i)
    if (separators[i] != c) return false;
  return true;
}

bool may_end(std::string_view text, size_t end) {
  const char c = char_at(text, end);
  if (is_alnum(c) || c == '_' || c == '@') return false;
  if (c == '.' || c == ',') return !is_digit(char_at(text, end + 1));
  if (const size_t dash = dash_size(text, end)) return !is_digit(char_at(text, end + dash));
  return true;
}

bool is_near(std::string_view text, size_t begin, size_t end,
             std::initializer_list<std::string_view> words, Reach reach) {
  char window[160];
  const auto holds = [&](std::string_view part) {
    const size_t size = std::min(part.size(), sizeof window);
    std::transform(part.begin(), part.begin() + ptrdiff_t(size), window, lower);
    const std::string_view lowered(window, size);
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return lowered.find(word) != lowered.npos; });
  };
  const size_t from = begin > reach.before ? begin - reach.before : 0;
  return holds(text.substr(from, begin - from)) ||
         holds(text.substr(std::min(end, text.size()), reach.after));
}

}  // namespace helio::data::pii
