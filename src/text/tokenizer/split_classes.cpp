#include "text/tokenizer/split_classes.h"

#include <algorithm>
#include <iterator>
#include <vector>

namespace helio::text {
namespace {

struct Run {
  char32_t first;
  FineClass kind;
};
constexpr FineClass kOther = FineClass::other, kUpper = FineClass::letter_upper,
                    kLower = FineClass::letter_lower, kCaseless = FineClass::letter_caseless,
                    kNumber = FineClass::number, kSpace = FineClass::space, kMark = FineClass::mark,
                    kSign = FineClass::sign;

#include "text/tokenizer/split_tables.inc"

struct Range {
  char32_t first, last;
};
constexpr Range kNumbersSince16[] = {{0x11DE0, 0x11DE9}, {0x16FF4, 0x16FF6}};

std::vector<FineClass> make_classes() {
  std::vector<FineClass> classes(0x110000, kOther);
  for (size_t i = 0; i < std::size(kRuns); ++i) {
    const char32_t end = i + 1 < std::size(kRuns) ? kRuns[i + 1].first : 0x110000;
    if (kRuns[i].kind != kOther)
      std::fill(classes.begin() + kRuns[i].first, classes.begin() + end, kRuns[i].kind);
  }
  for (const auto& range : kNumbersSince16)
    std::fill(classes.begin() + range.first, classes.begin() + range.last + 1,
              FineClass::later_number);
  return classes;
}

}  // namespace

const FineClass* split_classes() {
  static const std::vector<FineClass> classes = make_classes();
  return classes.data();
}

bool is_numeric_for_digits(char32_t code) { return is_numeric_for_digits(split_classes()[code]); }

}  // namespace helio::text
