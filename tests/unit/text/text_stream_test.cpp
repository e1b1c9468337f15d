#include "text/text_stream.h"

#include <gtest/gtest.h>

namespace helio::text {
namespace {

// Everything that came out, one push a byte.
std::string streamed(std::string_view bytes, std::vector<std::string> stops = {}) {
  TextStream stream(std::move(stops));
  std::string out;
  for (const char byte : bytes) out += stream.push({&byte, 1});
  return out + stream.finish();
}

TEST(TextStream, HoldsBackCharactersThatAreNotWhole) {
  TextStream stream;
  EXPECT_EQ(stream.push("a\xEA\xB0"), "a");  // two of the three bytes of 가
  EXPECT_EQ(stream.push("\x80!"), "가!");
  EXPECT_EQ(streamed("가나다 👍 end"), "가나다 👍 end");
}

TEST(TextStream, BrokenBytesBecomeReplacementCharacters) {
  EXPECT_EQ(streamed("a\xFF"
                     "b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(streamed("a\xEA\xB0"
                     "b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(streamed("a\xF0\x9F\x91"), "a\xEF\xBF\xBD");  // cut at the end
  EXPECT_EQ(streamed("\x80\x80\x80\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(TextStream, EndsBeforeAStopStringAndShowsNoneOfIt) {
  EXPECT_EQ(streamed("one\n\n### User: two", {"\n\n### User"}), "one");
  EXPECT_EQ(streamed("one\n\n### Use it", {"\n\n### User"}), "one\n\n### Use it");
  EXPECT_EQ(streamed("ab", {"abc", "b"}), "a");
  TextStream stream({"STOP"});
  EXPECT_EQ(stream.push("go ST"), "go ");
  EXPECT_EQ(stream.push("AR STOP more"), "STAR ");
  EXPECT_TRUE(stream.stopped());
  EXPECT_EQ(stream.push("x") + stream.finish(), "");
}

}  // namespace
}  // namespace helio::text
