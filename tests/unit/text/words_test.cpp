#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>

#include "text/unicode.h"

namespace helio::text {
namespace {

TEST(Words, AreRunsOfWhatIsNotWhiteSpace) {
  EXPECT_EQ(count_words(""), 0);
  EXPECT_EQ(count_words(" \t\r\n"), 0);
  EXPECT_EQ(count_words("나는  학교에\n간다."), 3);
  EXPECT_EQ(count_words("one"), 1);
}

TEST(Words, WhiteSpaceIsPythons) {
  // [c for c in range(0x110000) if chr(c).isspace()] in Python 3.11.
  const std::set<uint32_t> expected = {
      0x9,    0xa,    0xb,    0xc,    0xd,    0x1c,   0x1d,   0x1e,   0x1f,   0x20,
      0x85,   0xa0,   0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006,
      0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000};
  for (uint32_t c = 0; c < 0x110000; ++c) ASSERT_EQ(is_python_space(c), expected.contains(c)) << c;
}

TEST(Words, SeparatorsBeyondAsciiAreSeen) {
  EXPECT_EQ(count_words("가\u3000나\u00a0다\u2003라"), 4);
  EXPECT_EQ(count_words("가\u200b나"), 1);  // zero-width space is no white space to Python
}

TEST(Words, BrokenBytesAreLetters) {
  EXPECT_EQ(count_words("\xff\xfe a"), 2);
  EXPECT_EQ(count_words("\xe3\x80"), 1);  // the first two bytes of U+3000
}

}  // namespace
}  // namespace helio::text
