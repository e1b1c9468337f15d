#include "eval/ifeval/python_case.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "text/unicode.h"

namespace helio::eval::ifeval {
namespace {

struct Range {
  char32_t first = 0, last = 0;
};

// Unicode's Other_Lowercase and Other_Uppercase: letters by use that are not Ll or Lu.
constexpr Range kOtherLower[] = {
    {0xAA, 0xAA},       {0xBA, 0xBA},       {0x2B0, 0x2B8},     {0x2C0, 0x2C1},    {0x2E0, 0x2E4},
    {0x345, 0x345},     {0x37A, 0x37A},     {0x1D2C, 0x1D6A},   {0x1D78, 0x1D78},  {0x1D9B, 0x1DBF},
    {0x2071, 0x2071},   {0x207F, 0x207F},   {0x2090, 0x209C},   {0x2170, 0x217F},  {0x24D0, 0x24E9},
    {0x2C7C, 0x2C7D},   {0xA69C, 0xA69D},   {0xA770, 0xA770},   {0xA7F8, 0xA7F9},  {0xAB5C, 0xAB5F},
    {0x10780, 0x10780}, {0x10783, 0x10785}, {0x10787, 0x107B0}, {0x107B2, 0x107BA}};
constexpr Range kOtherUpper[] = {
    {0x2160, 0x216F}, {0x24B6, 0x24CF}, {0x1F130, 0x1F149}, {0x1F150, 0x1F169}, {0x1F170, 0x1F189}};

template <size_t N>
bool within(const Range (&ranges)[N], char32_t c) {
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [&](const Range& r) { return c >= r.first && c <= r.last; });
}

bool is_titlecase(char32_t c) {
  return c == 0x1C5 || c == 0x1C8 || c == 0x1CB || c == 0x1F2 || (c >= 0x1F88 && c <= 0x1F8F) ||
         (c >= 0x1F98 && c <= 0x1F9F) || (c >= 0x1FA8 && c <= 0x1FAF) || c == 0x1FBC ||
         c == 0x1FCC || c == 0x1FFC;
}

// Does a character take part in the search for a word's end, or is it passed over?
bool is_cased(char32_t c) { return is_lowercase(c) || is_uppercase(c) || is_titlecase(c); }
bool is_ignorable(char32_t c) {
  return text::category(c) == text::Category::mark || c == '\'' || c == '.' || c == ':' ||
         c == '^' || c == '`' || c == 0xA8 || c == 0xAD || c == 0xAF || c == 0xB4 || c == 0xB7 ||
         c == 0xB8 || c == 0x2019 || c == 0x2018 || c == 0x200B || c == 0x200C || c == 0x200D;
}

bool ends_word(const std::u32string& points, size_t at) {
  size_t j = at;
  while (j > 0 && is_ignorable(points[j - 1])) --j;
  if (j == 0 || !is_cased(points[j - 1])) return false;
  for (j = at + 1; j < points.size() && is_ignorable(points[j]); ++j) {}
  return j == points.size() || !is_cased(points[j]);
}

}  // namespace

bool is_lowercase(char32_t c) {
  if (c < 0x80) return c >= 'a' && c <= 'z';
  return text::is_lower(c) || within(kOtherLower, c);
}
bool is_uppercase(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z';
  return (text::is_upper(c) && !is_titlecase(c)) || within(kOtherUpper, c);
}

bool python_isupper(std::string_view text) {
  bool cased = false, other = false;
  text::for_each_code_point(text, [&](char32_t c, auto) {
    if (is_lowercase(c) || is_titlecase(c)) other = true;
    else cased = cased || is_uppercase(c);
  });
  return cased && !other;
}

bool python_islower(std::string_view text) {
  bool cased = false, other = false;
  text::for_each_code_point(text, [&](char32_t c, auto) {
    if (is_uppercase(c) || is_titlecase(c)) other = true;
    else cased = cased || is_lowercase(c);
  });
  return cased && !other;
}

std::string python_lower(std::string_view text) {
  const std::u32string points = text::to_code_points(text);
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < points.size(); ++i) {
    const char32_t c = points[i];
    if (c < 0x80) out.push_back(static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c));
    else if (c == 0x130) out += "i\xCC\x87";
    else if (c == 0x3A3) out += ends_word(points, i) ? "\xCF\x82" : "\xCF\x83";
    else text::append_utf8(out, text::to_lower(c));
  }
  return out;
}

char32_t fold_case(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  // Lower-case letters that CPython's `re` takes for one (Lib/re/_casefix.py): to the first.
  constexpr std::array<std::pair<char32_t, char32_t>, 26> kSame = {
      {{0x131, 0x69},   {0x17F, 0x73},   {0x3BC, 0xB5},   {0x3B9, 0x345},   {0x1FBE, 0x345},
       {0x1FD3, 0x390}, {0x1FE3, 0x3B0}, {0x3D0, 0x3B2},  {0x3F5, 0x3B5},   {0x3D1, 0x3B8},
       {0x3F0, 0x3BA},  {0x3D6, 0x3C0},  {0x3F1, 0x3C1},  {0x3C3, 0x3C2},   {0x3D5, 0x3C6},
       {0x1C80, 0x432}, {0x1C81, 0x434}, {0x1C82, 0x43E}, {0x1C83, 0x441},  {0x1C84, 0x442},
       {0x1C85, 0x442}, {0x1C86, 0x44A}, {0x1C87, 0x463}, {0xA64B, 0x1C88}, {0x1E9B, 0x1E61},
       {0xFB06, 0xFB05}}};
  const char32_t lower = text::to_lower(c);
  for (const auto& [from, to] : kSame)
    if (lower == from) return to;
  return lower;
}

std::string_view strip_left_of(std::string_view text, char c) {
  const size_t begin = text.find_first_not_of(c);
  return begin == text.npos ? std::string_view() : text.substr(begin);
}
std::string_view strip_right_of(std::string_view text, char c) {
  const size_t last = text.find_last_not_of(c);
  return last == text.npos ? std::string_view() : text.substr(0, last + 1);
}
std::string_view strip_of(std::string_view text, char c) {
  return strip_right_of(strip_left_of(text, c), c);
}

}  // namespace helio::eval::ifeval
