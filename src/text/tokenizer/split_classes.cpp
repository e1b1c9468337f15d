#include "text/tokenizer/split_classes.h"

#include <algorithm>
#include <vector>

#include "text/unicode.h"

namespace helio::text {
namespace {

struct Range {
  char32_t first, last;
};

// Assigned between Unicode 15.0 and 16.0; measured by asking HF tokenizers 0.23.3 about every code
// point (tests/peers/test_tokenizer.py asks again).
constexpr Range kLettersSince15[] = {
    {0x1C89, 0x1C8A},   {0xA7CB, 0xA7CD},   {0xA7DA, 0xA7DC},   {0x105C0, 0x105F3},
    {0x10D4A, 0x10D65}, {0x10D6F, 0x10D85}, {0x10EC2, 0x10EC4}, {0x11380, 0x11389},
    {0x1138B, 0x1138B}, {0x1138E, 0x1138E}, {0x11390, 0x113B5}, {0x113B7, 0x113B7},
    {0x113D1, 0x113D1}, {0x113D3, 0x113D3}, {0x11BC0, 0x11BE0}, {0x13460, 0x143FA},
    {0x16100, 0x1611D}, {0x16D40, 0x16D6C}, {0x18CFF, 0x18CFF}, {0x1E5D0, 0x1E5ED},
    {0x1E5F0, 0x1E5F0}, {0x2EBF0, 0x2EE5D}};
constexpr Range kNumbersSince15[] = {{0x10D40, 0x10D49}, {0x116D0, 0x116E3}, {0x11BF0, 0x11BF9},
                                     {0x16130, 0x16139}, {0x16D70, 0x16D79}, {0x1CCF0, 0x1CCF9},
                                     {0x1E5F1, 0x1E5FA}};
constexpr Range kNumbersSince16[] = {{0x11DE0, 0x11DE9}, {0x16FF4, 0x16FF6}};

std::vector<SplitClass> make_classes() {
  std::vector<SplitClass> classes(0x110000, SplitClass::other);
  for (char32_t code = 0; code < 0x110000; ++code) {
    const Category kind = category(code);
    if (kind == Category::letter) classes[code] = SplitClass::letter;
    if (kind == Category::number) classes[code] = SplitClass::number;
    if (is_white_space(code)) classes[code] = SplitClass::space;
  }
  const auto mark = [&](const Range& range, SplitClass kind) {
    std::fill(classes.begin() + range.first, classes.begin() + range.last + 1, kind);
  };
  for (const auto& range : kLettersSince15) mark(range, SplitClass::letter);
  for (const auto& range : kNumbersSince15) mark(range, SplitClass::number);
  return classes;
}

}  // namespace

const SplitClass* split_classes() {
  static const std::vector<SplitClass> classes = make_classes();
  return classes.data();
}

bool is_numeric_for_digits(char32_t code) {
  if (split_classes()[code] == SplitClass::number) return true;
  return std::any_of(std::begin(kNumbersSince16), std::end(kNumbersSince16),
                     [&](const Range& range) { return code >= range.first && code <= range.last; });
}

}  // namespace helio::text
