#include "text/jinja/unicode_text.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "text/jinja/case_tables.h"
#include "text/unicode.h"

namespace helio::text::jinja {
namespace {

template <size_t N>
bool within(const CodeRange (&ranges)[N], char32_t c) {
  const auto* after = std::upper_bound(std::begin(ranges), std::end(ranges), c,
                                       [](char32_t x, const CodeRange& r) { return x < r.begin; });
  return after != std::begin(ranges) && c <= std::prev(after)->end;
}

template <size_t N>
bool append_many(std::string& out, const CaseMapping (&mappings)[N], char32_t c) {
  const auto* found = std::lower_bound(std::begin(mappings), std::end(mappings), c,
                                       [](const CaseMapping& m, char32_t x) { return m.from < x; });
  if (found == std::end(mappings) || found->from != c) return false;
  for (const char32_t to : found->to)
    if (to) append_utf8(out, to);
  return true;
}

utf8proc_category_t general(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

void append_upper(std::string& out, char32_t c) {
  if (c < 0x80) out += static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  else if (!append_many(out, kUpperToMany, c))
    append_utf8(out, static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c))));
}

void append_title(std::string& out, char32_t c) {
  if (c < 0x80) append_upper(out, c);
  else if (!append_many(out, kTitleToMany, c)) append_utf8(out, to_title(c));
}

bool is_case_ignorable(char32_t c) {
  switch (c) {
    case 0x27:
    case 0x2E:
    case 0x3A:
    case 0xB7:
    case 0x387:
    case 0x55F:
    case 0x5F4:
    case 0x2018:
    case 0x2019:
    case 0x2024:
    case 0x2027:
    case 0xFE13:
    case 0xFE52:
    case 0xFE55:
    case 0xFF07:
    case 0xFF0E:
    case 0xFF1A:
      return true;
    default:
      break;
  }
  switch (general(c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return false;
  }
}

// A capital sigma at the end of a word has its own small form.
bool is_final_sigma(const std::u32string& text, size_t at) {
  size_t before = at;
  while (before > 0 && is_case_ignorable(text[before - 1])) --before;
  if (before == 0 || !is_cased(text[before - 1])) return false;
  size_t after = at + 1;
  while (after < text.size() && is_case_ignorable(text[after])) ++after;
  return after == text.size() || !is_cased(text[after]);
}

void append_lower(std::string& out, const std::u32string& text, size_t at) {
  const char32_t c = text[at];
  if (c == 0x3A3) append_utf8(out, is_final_sigma(text, at) ? 0x3C2 : 0x3C3);
  else if (c == 0x130) out += "i\xCC\x87";
  else append_utf8(out, to_lower(c));
}

bool change_ascii(std::string& out, std::string_view text, Case to) {
  for (const char c : text)
    if (static_cast<uint8_t>(c) >= 0x80) return false;
  out.resize(text.size());
  bool word = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z';
    bool raise = to == Case::upper || (to == Case::capitalize && i == 0) ||
                 (to == Case::title && !word) || (to == Case::swap && lower);
    out[i] = raise && lower    ? static_cast<char>(c - 32)
             : !raise && upper ? static_cast<char>(c + 32)
                               : c;
    if (to == Case::swap && upper) out[i] = static_cast<char>(c + 32);
    word = upper || lower;
  }
  return true;
}

}  // namespace

std::string change_case(std::string_view text, Case to) {
  std::string out;
  if (change_ascii(out, text, to)) return out;
  out.clear();
  const std::u32string all = to_code_points(text);
  bool word = false;
  for (size_t i = 0; i < all.size(); ++i) {
    const char32_t c = all[i];
    switch (to) {
      case Case::upper:
        append_upper(out, c);
        break;
      case Case::lower:
        append_lower(out, all, i);
        break;
      case Case::capitalize:
        if (i == 0) append_title(out, c);
        else append_lower(out, all, i);
        break;
      case Case::title:
        if (word) append_lower(out, all, i);
        else append_title(out, c);
        word = is_cased(c);
        break;
      case Case::swap:
        if (is_upper_character(c)) append_lower(out, all, i);
        else if (is_lower_character(c)) append_upper(out, c);
        else append_utf8(out, c);
        break;
      case Case::fold:
        if (c < 0x80) append_lower(out, all, i);
        else if (!append_many(out, kFoldToMany, c)) {
          utf8proc_int32_t folded[4];
          int boundary = 0;
          const auto n = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), folded, 4,
                                                 UTF8PROC_CASEFOLD, &boundary);
          for (utf8proc_ssize_t k = 0; k < n && k < 4; ++k)
            append_utf8(out, static_cast<char32_t>(folded[k]));
        }
        break;
    }
  }
  return out;
}

bool is_lower_character(char32_t c) {
  if (c < 0x80) return c >= 'a' && c <= 'z';
  return general(c) == UTF8PROC_CATEGORY_LL || within(kLowerBeyondLl, c);
}
bool is_upper_character(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z';
  return general(c) == UTF8PROC_CATEGORY_LU || within(kUpperBeyondLu, c);
}
bool is_digit_character(char32_t c) { return is_decimal_digit(c) || within(kDigitBeyondNd, c); }
bool is_numeric_character(char32_t c) { return is_number(c) || within(kNumericLetters, c); }
bool is_cased(char32_t c) {
  return is_lower_character(c) || is_upper_character(c) || general(c) == UTF8PROC_CATEGORY_LT;
}
bool is_printable(char32_t c) {
  const Category kind = category(c);
  return c == ' ' || (kind != Category::other && kind != Category::separator);
}
bool is_line_break(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}
bool starts_identifier(char32_t c) {
  return c == '_' || is_letter(c) || general(c) == UTF8PROC_CATEGORY_NL;
}
bool continues_identifier(char32_t c) {
  if (starts_identifier(c) || is_decimal_digit(c) || c == 0xB7) return true;
  const auto kind = general(c);
  return kind == UTF8PROC_CATEGORY_MN || kind == UTF8PROC_CATEGORY_MC ||
         kind == UTF8PROC_CATEGORY_PC;
}

namespace {

void append_escape(std::string& out, char32_t c) {
  char escape[12];
  std::snprintf(escape, sizeof escape,
                c < 0x100     ? "\\x%02x"
                : c < 0x10000 ? "\\u%04x"
                              : "\\U%08x",
                static_cast<unsigned>(c));
  out += escape;
}

template <class Shown>
void append_with_quotes(std::string& out, std::string_view text, const Shown& shown) {
  const char quote = text.find('\'') != text.npos && text.find('"') == text.npos ? '"' : '\'';
  out += quote;
  for_each_code_point(text, [&](char32_t c, std::string_view bytes) {
    if (c == static_cast<char32_t>(quote) || c == '\\') (out += '\\') += static_cast<char>(c);
    else if (c == '\n') out += "\\n";
    else if (c == '\r') out += "\\r";
    else if (c == '\t') out += "\\t";
    else if (shown(c)) out += bytes;
    else append_escape(out, c);
  });
  out += quote;
}

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
  append_with_quotes(out, text, [](char32_t c) { return c < 0x7F ? c >= ' ' : is_printable(c); });
}
void append_ascii_quoted(std::string& out, std::string_view text) {
  append_with_quotes(out, text, [](char32_t c) { return c >= ' ' && c < 0x7F; });
}

}  // namespace helio::text::jinja
