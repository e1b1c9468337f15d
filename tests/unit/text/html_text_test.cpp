#include "text/html_text.h"

#include <gtest/gtest.h>

#include <string>

#include "text/utf8.h"

namespace helio::text {
namespace {

std::string body(const std::string& html) { return html_text("<!DOCTYPE html><body>" + html).text; }

std::string repeat(std::string_view piece, size_t times) {
  std::string result;
  for (size_t i = 0; i < times; ++i) result += piece;
  return result;
}

TEST(HtmlText, KeepsHeadingsParagraphsAndInlineCodeInOrder) {
  EXPECT_EQ(
      body("<h1>제목</h1><p>첫째  문단\n입니다.</p><p>Run <code>helio run</code> <b>now</b>.</p>"),
      "제목\n\n첫째 문단 입니다.\n\nRun helio run now.");
}

TEST(HtmlText, LeavesOutScriptsNavigationHeadersAndFooters) {
  EXPECT_EQ(body("<nav><p>메뉴 하나</p></nav><script>var x = '<p>no</p>';</script>"
                 "<style>p{}</style><div class='x navheader'><b>이전</b></div>"
                 "<p>본문</p><div id=footer>copyright</div><footer>끝</footer><aside>side</aside>"
                 "<div role=navigation>go</div><p hidden>x</p><p style='display: NONE'>y</p>"),
            "본문");
}

TEST(HtmlText, BlocksThatAreOnlyLinksAreLeftOutAndLinksInProseStay) {
  EXPECT_EQ(
      body("<ul><li><a href=a>Home</a></li><li><a href=b>News</a></li></ul>"
           "<p>See <a href=c>the guide</a> for more about it.</p><h2><a href=d>Topic</a></h2>"),
      "See the guide for more about it.\n\nTopic");
  HtmlOptions keep_all;
  keep_all.max_link_share = 2;
  EXPECT_EQ(html_text("<body><ul><li><a href=a>Home</a></ul>", keep_all).text, "- Home");
}

TEST(HtmlText, ListsAreLinesWithTheirMarksAndItemsStayTogether) {
  EXPECT_EQ(body("<p>순서:</p><ol><li><p>연다.</p><p>기다린다.</p></li><li>닫는다.</li></ol>"
                 "<ul><li>one</li><li>two</li></ul>"),
            "순서:\n\n1. 연다.\n기다린다.\n2. 닫는다.\n\n- one\n- two");
}

TEST(HtmlText, DataTablesAreRowsAndLayoutTablesAreReadThrough) {
  EXPECT_EQ(body("<table><tr><th>이름</th><th>값</th></tr><tr><td>a<p>b</p></td><td>1</td></tr>"
                 "<tr><td></td><td>2</td></tr></table>"),
            "이름 | 값\na b | 1\n2");
  EXPECT_EQ(body("<table><tr><td><h2>제목</h2><p>문단</p></td></tr></table>"), "제목\n\n문단");
}

TEST(HtmlText, PreformattedTextKeepsItsLines) {
  EXPECT_EQ(body("<p>예:</p><pre>int main() {\n  return 0;\n}\n</pre><p>끝</p>"),
            "예:\n\nint main() {\n  return 0;\n}\n\n끝");
}

TEST(HtmlText, OneMainElementIsTheWholeText) {
  EXPECT_EQ(body("<div>around</div><main><p>inside</p></main><div>after</div>"), "inside");
}

TEST(HtmlText, TitleAndLanguageAreReadFromTheHead) {
  const HtmlText page = html_text("<html lang=ko><head><title> 데비안\n안내서 </title></head><p>x");
  EXPECT_EQ(page.title, "데비안 안내서");
  EXPECT_EQ(page.language, "ko");
  EXPECT_EQ(page.text, "x");
}

TEST(HtmlText, CharsetIsReadFromMarkDeclarationOrMetaAndOthersAreReported) {
  EXPECT_EQ(html_charset("\xEF\xBB\xBF<p>"), "utf-8");
  EXPECT_EQ(html_charset("<?xml version=\"1.0\" encoding=\"EUC-KR\"?><html>"), "euc-kr");
  EXPECT_EQ(html_charset("<meta http-equiv=x content=\"text/html; charset=Shift_JIS\">"),
            "shift_jis");
  EXPECT_EQ(html_charset("<p>charset=none"), "");
  const HtmlText korean = html_text("<meta charset=EUC-KR><p>\xC7\xD1\xB1\xDB");
  EXPECT_EQ(korean.outcome, HtmlOutcome::charset);
  EXPECT_EQ(korean.charset, "euc-kr");
  EXPECT_EQ(korean.text, "");
}

TEST(HtmlText, BrokenBytesBecomeReplacementCharacters) {
  const HtmlText page = html_text("<p>caf\xE9 \xED\x95\x9C\xEA");
  EXPECT_EQ(page.outcome, HtmlOutcome::ok);
  EXPECT_TRUE(is_valid_utf8(page.text)) << page.text;
  EXPECT_NE(page.text.find("\xED\x95\x9C"), std::string::npos);
}

TEST(HtmlText, HostileNestingSizeAndTreesAreRefusedWithoutHarm) {
  EXPECT_EQ(html_text(repeat("<div>", 1'000'000)).outcome, HtmlOutcome::too_deep);
  HtmlOptions small;
  small.max_bytes = 10;
  EXPECT_EQ(html_text("<p>0123456789", small).outcome, HtmlOutcome::too_large);
  // Every paragraph opens all the unclosed elements again: its tree grows with the square.
  std::string formats;
  for (int i = 0; i < 2000; ++i) formats += "<b a=" + std::to_string(i) + ">";
  HtmlOptions bounded;
  bounded.max_tree_bytes = size_t(64) << 20;
  EXPECT_EQ(html_text("<p>" + formats + repeat("</p><p>x", 5000), bounded).outcome,
            HtmlOutcome::too_complex);
}

TEST(HtmlText, DeepButHonestNestingIsRead) {
  EXPECT_EQ(html_text(repeat("<div>", 5000) + "deep" + repeat("</div>", 5000)).text, "deep");
  EXPECT_EQ(html_text(repeat("<p>x", 20'000)).outcome, HtmlOutcome::ok);
}

}  // namespace
}  // namespace helio::text
