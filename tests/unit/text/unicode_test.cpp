#include "text/unicode.h"

#include <gtest/gtest.h>

#include <random>

namespace helio::text {
namespace {

using namespace std::string_literals;

TEST(Utf8, BrokenBytesBecomeReplacementsAsPythonDoes) {
  // Each expectation is b"...".decode("utf-8", "replace") from CPython 3.11.
  EXPECT_EQ(repair_utf8("a\xFFz"), "a\uFFFDz");
  EXPECT_EQ(repair_utf8("\xE2\x82"), "\uFFFD");  // one truncated character: one mark
  EXPECT_EQ(repair_utf8("\xE2\x28\xA1"), "\uFFFD(\uFFFD");
  EXPECT_EQ(repair_utf8("\xF0\x9F\x98"), "\uFFFD");
  EXPECT_EQ(repair_utf8("\xF0\x9Fx"), "\uFFFDx");
  EXPECT_EQ(repair_utf8("\xC0\x80"), "\uFFFD\uFFFD");                      // overlong
  EXPECT_EQ(repair_utf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");            // surrogate
  EXPECT_EQ(repair_utf8("\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");  // beyond U+10FFFF
  EXPECT_EQ(repair_utf8("한글 \U0001F600"), "한글 \U0001F600");
  EXPECT_EQ(repair_utf8("a\0b"s), "a\0b"s);
}

TEST(Utf8, EveryCodePointSurvivesTheRoundTrip) {
  for (char32_t code = 0; code <= 0x10FFFF; ++code) {
    if (code >= 0xD800 && code <= 0xDFFF) continue;
    std::string bytes;
    append_utf8(bytes, code);
    const auto point = decode_utf8(bytes, 0);
    ASSERT_EQ(point.value, code);
    ASSERT_EQ(point.size, bytes.size());
    ASSERT_EQ(point.status, Utf8::valid);
  }
}

TEST(Utf8, CountsAndCutsByCharacters) {
  EXPECT_EQ(count_code_points("가나\xFF다"), 4);
  EXPECT_EQ(first_code_points("가나다", 2), "가나");
  EXPECT_EQ(first_code_points("가나다", 9), "가나다");
  EXPECT_EQ(to_utf8(to_code_points("é 漢\U0001F1F0")), "é 漢\U0001F1F0");
}

TEST(Words, AreWhatPythonsSplitGives) {
  EXPECT_EQ(count_words(""), 0);
  EXPECT_EQ(count_words(" \n\t "), 0);
  EXPECT_EQ(count_words("아버지가 방에\u3000들어가신다.\u00A0끝"), 4);
  EXPECT_EQ(count_words("a\x1C"
                        "b\x1F"
                        "c"),
            3);
  EXPECT_EQ(count_words("zero\u200Bwidth"), 1);  // U+200B is no whitespace
  const std::vector<std::string_view> expected{"one", "\xFF", "둘"};
  EXPECT_EQ(split_words(" one \xFF\u2003둘\n"), expected);
  EXPECT_EQ(trim("\u3000 둘 셋\n"), "둘 셋");
  EXPECT_EQ(trim(" \n"), "");
}

TEST(Trim, TakesWhiteSpaceOfAnyKindFromBothEnds) {
  EXPECT_EQ(trim(" \t\n가 나\u3000\u00A0\r\n"), "가 나");
  EXPECT_EQ(trim("\u2003\u3000"), "");
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(trim("  x"), "x");
  EXPECT_EQ(trim("\xE3\x80 "), "\xE3\x80");  // broken bytes are no white space
  EXPECT_EQ(trim("a \x80\x80"), "a \x80\x80");
  EXPECT_EQ(trim("a\xE3\x80\x80\x80"), "a\xE3\x80\x80\x80");
}

TEST(Categories, KnowLettersNumbersAndHangul) {
  EXPECT_TRUE(is_letter(U'한') && is_letter(U'A') && is_letter(U'ｱ') && is_letter(U'漢'));
  EXPECT_TRUE(is_number(U'7') && is_number(U'Ⅷ') && is_number(U'½') && is_number(U'１'));
  EXPECT_FALSE(is_letter(U'1') || is_letter(U'_') || is_number(U'일'));
  EXPECT_TRUE(is_decimal_digit(U'٣') && !is_decimal_digit(U'½'));
  EXPECT_EQ(category(U'\u0301'), Category::mark);
  EXPECT_EQ(category(U'€'), Category::symbol);
  EXPECT_EQ(category(0xE000), Category::other);
  EXPECT_TRUE(is_hangul_syllable(U'힣') && !is_hangul_syllable(U'ㅋ'));
  EXPECT_TRUE(is_hangul_jamo(U'ㅋ') && is_hangul_jamo(U'\u1100') && !is_hangul_jamo(U'가'));
  EXPECT_TRUE(is_han(U'漢') && !is_han(U'か'));
  EXPECT_EQ(to_lower("ÀBC 가"), "àbc 가");
}

TEST(Normalize, GivesTheFourForms) {
  const std::string decomposed = "\u1112\u1161\u11AB e\u0301";
  EXPECT_EQ(normalize(decomposed, NormalForm::nfc), "한 é");
  EXPECT_EQ(normalize("한 é", NormalForm::nfd), decomposed);
  EXPECT_EQ(normalize("ＡＢ① ﬁ", NormalForm::nfkc), "AB1 fi");
  EXPECT_EQ(normalize("ＡＢ①", NormalForm::nfc), "ＡＢ①");
  EXPECT_EQ(normalize("㈜", NormalForm::nfkd), "(\u110C\u116E)");
  EXPECT_EQ(normalize("\xFFé", NormalForm::nfc), "\uFFFDé");
  // Letters around the finals of Hangul: only U+11A8 to U+11C2 join a syllable.
  EXPECT_EQ(normalize("시\u11A7\u11A8", NormalForm::nfc), "시\u11A7\u11A8");
  EXPECT_EQ(normalize("\u11A7시\u11A8\u11A7e\u0301", NormalForm::nfkc), "\u11A7식\u11A7é");
  EXPECT_EQ(normalize("시\u11C2시\u11C3", NormalForm::nfc), "싷시\u11C3");
  EXPECT_EQ(normalize("a\0é"s, NormalForm::nfc), "a\0é"s);
}

// Most text is told to be normal without utf8proc. A sign that is never normal (OHM SIGN, to which
// nothing before it is joined) keeps that from happening: both ways must agree.
TEST(Normalize, TheQuickWayAgreesWithTheLongOne) {
  const std::string ohm = "\u2126", omega = "\u03A9";
  for (const NormalForm form : {NormalForm::nfc, NormalForm::nfkc})
    for (char32_t c = 0x80; c < 0x20000; ++c) {
      if (c >= 0xD800 && c < 0xE000) continue;
      std::string text = "가";
      append_utf8(text, c);
      text += "e";
      ASSERT_EQ(normalize(text, form) + omega, normalize(text + ohm, form)) << std::hex << int(c);
    }
}

// Counting looks at sixteen bytes at a time; the slow way is the definition.
TEST(Unicode, CountsAreThoseOfCharacterByCharacterInAnyBytes) {
  const std::vector<std::string> parts = {"a",      " ",      "\n",  "\x1C", "가",       "힣",
                                          "\u00A0", "·",      "é",   "“",    "\u2003",   "\u3000",
                                          "あ",     "\u1680", "😀",   "\xC2", "\xE3\x80", "\xED\xA0",
                                          "\xFF",   "word",   "\x85"};
  std::mt19937 random(7);
  for (int round = 0; round < 4000; ++round) {
    std::string text;
    for (size_t n = random() % 60; n > 0; --n) text += parts[random() % parts.size()];
    int64_t words = 0, chars = 0;
    bool in_word = false;
    for_each_code_point(text, [&](char32_t c, std::string_view) {
      words += !is_python_space(c) && !in_word;
      in_word = !is_python_space(c);
      ++chars;
    });
    ASSERT_EQ(count_words(text), words) << round;
    ASSERT_EQ(int64_t(split_words(text).size()), words) << round;
    ASSERT_EQ(count_code_points(text), chars) << round;
  }
}

}  // namespace
}  // namespace helio::text
