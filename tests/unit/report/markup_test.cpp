#include "report/markup.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "report/format.h"
#include "report/svg.h"

namespace helio::report {
namespace {

TEST(Markup, EscapesTextAndAttributes) {
  Markup m;
  m.open("p", {{"title", "\"'><script>alert(1)</script>"}}).text("<b>&amp;</b>").close();
  EXPECT_EQ(m.str(),
            "<p title=\"&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\">"
            "&lt;b&gt;&amp;amp;&lt;/b&gt;</p>");
}

TEST(Markup, ReplacesBytesThatAreNoUtf8AndControlCharacters) {
  EXPECT_EQ(escape("a\xff"
                   "b"),
            "a\xef\xbf\xbd"
            "b");
  EXPECT_EQ(escape(std::string("\0\x1b\x7f", 3)), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(escape("\xed\xa0\x80"),
            "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");          // half a surrogate pair
  EXPECT_EQ(escape("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd");  // '/' written too long
  EXPECT_EQ(escape("\xf0\x9f\x8c"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");  // cut off
  EXPECT_EQ(escape("한글 🌞\t\n"), "한글 🌞\t\n");
}

TEST(Markup, RefusesAnElementLeftOpenOrClosedTwice) {
  Markup open;
  open.open("p");
  EXPECT_THROW(open.str(), Error);
  Markup closed;
  EXPECT_THROW(closed.close(), Error);
}

TEST(Markup, WritesCoordinatesWithoutExponentsOrNegativeZero) {
  EXPECT_EQ(coordinate(0.1 + 0.2), "0.3");
  EXPECT_EQ(coordinate(-0.0001), "0");
  EXPECT_EQ(coordinate(1e9), "1000000000");
  EXPECT_THROW(coordinate(std::numeric_limits<double>::quiet_NaN()), Error);
}

TEST(Svg, WritesBothLanguagesOfALabelAndEscapesTips) {
  Svg svg({.width = 10, .height = 5});
  svg.label({1, 2}, Text{.en = "loss", .ko = "손실"}, "mid").circle({1, 1}, 2, "dot", "<x>");
  const std::string text = svg.finish().str();
  EXPECT_NE(text.find("<text class=\"mid en\" x=\"1\" y=\"2\">loss</text>"), text.npos);
  EXPECT_NE(text.find("<text class=\"mid ko\" x=\"1\" y=\"2\">손실</text>"), text.npos);
  EXPECT_NE(text.find("<title>&lt;x&gt;</title>"), text.npos);
}

TEST(Format, ShowsNumbersAsReadersExpect) {
  EXPECT_EQ(grouped(-1234567), "-1,234,567");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(short_count(4869312), "4.87\u00a0M");
  EXPECT_EQ(short_count(999'600), "1.00\u00a0M");
  EXPECT_EQ(short_count(12), "12");
  EXPECT_EQ(bytes_text(1'500'000), "1.5\u00a0MB");
  EXPECT_EQ(duration_text(0.4), "400\u00a0ms");
  EXPECT_EQ(duration_text(59.97), "1\u00a0min\u00a000\u00a0s");
  EXPECT_EQ(duration_text(3725), "1\u00a0h\u00a002\u00a0min");
  EXPECT_EQ(percent(2.0 / 3), "66.7%");
  EXPECT_EQ(rounded(-0.0001, 2), "0.00");
  EXPECT_EQ(rounded(std::numeric_limits<double>::infinity(), 2), kDash);
  EXPECT_EQ(significant(0.0005), "0.0005");
  EXPECT_EQ(significant(0.00002), "2e-5");
  EXPECT_EQ(significant(0.002), "0.002");
  EXPECT_EQ(or_dash(std::optional<int>(), [](int) { return std::string("0"); }), kDash);
}

TEST(Format, CutsBetweenCharactersAndOnlyWhenItMust) {
  EXPECT_EQ(fit("short", 100, 12), "short");
  const std::string cut = fit("가나다라마바사아자차카타파하", 60, 12);
  EXPECT_EQ(cut, "가나다라…");
  EXPECT_LE(text_width(cut, 12), 60);
}

}  // namespace
}  // namespace helio::report
