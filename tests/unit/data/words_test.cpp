// The ways to cut words and sentences. (spaCy's tokens: filters_test.cpp.)
#include "data/words/words.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "core/error.h"
#include "core/lines.h"
#include "data/words/mecab.h"
#include "data/words/sentences.h"
#include "data/words/spacy_en.h"
#include "data/words/uax29.h"
#include "text/utf8.h"

namespace helio::data {
namespace {

using Split = std::vector<std::string_view>;

Split split(std::string_view name, std::string_view text) {
  Split words;
  make_words(name)->split(text, words);
  return words;
}

TEST(Words, WhitespaceIsPythons) {
  EXPECT_EQ(split("whitespace",
                  " a\tb\x1f"
                  "c\xC2\xA0"
                  "d\xE3\x80\x80가\xE2\x80\x8B나\n"),
            (Split{"a", "b", "c", "d", "가\xE2\x80\x8B나"}));
  EXPECT_TRUE(split("whitespace", "").empty());
}

TEST(Words, EojeolIsWithoutSymbolsAtItsEnds) {
  EXPECT_EQ(split("eojeol", "\"그는,\" (3.5배) … -- 말했다."),
            (Split{"그는", "3.5배", "…", "--", "말했다"}));
}

TEST(Words, Uax29PassesUnicodesOwnTest) {
  LineReader reader(HELIO_SOURCE_DIR "/tests/fixtures/word_break/cases.txt.gz");
  int64_t cases = 0;
  for (std::string_view line; reader.next(line); ++cases) {
    std::string text;
    std::vector<std::string> expected(1);
    const auto take = [&](std::string_view piece) {
      for (size_t at = 0; at < piece.size();) {
        const size_t end = std::min(piece.find(' ', at), piece.size());
        if (end > at)
          text::append_utf8(expected.back(),
                            char32_t(std::stoul(std::string(piece.substr(at, end - at)), {}, 16)));
        at = end + 1;
      }
      text += expected.back();
    };
    for (std::string_view rest = line;;) {
      const size_t end = rest.find("\xC3\xB7");
      take(rest.substr(0, end));
      if (end == rest.npos) break;
      expected.emplace_back();
      rest.remove_prefix(end + 2);
    }
    std::vector<std::string> found;
    for_each_uax29_segment(text, [&](std::string_view s) { found.emplace_back(s); });
    EXPECT_EQ(found, expected) << line;
  }
  EXPECT_EQ(cases, 1823);
}

TEST(Words, Uax29WordsAreWithoutWhiteSpace) {
  EXPECT_EQ(split("uax29", "Don't pay 3.50, 한국어는  쉽다."),
            (Split{"Don't", "pay", "3.50", ",", "한국어는", "쉽다", "."}));
}

TEST(Words, AnotherNameIsAnError) {
  EXPECT_THROW(make_words("kiwi"), Error);
  EXPECT_THROW(make_sentences("punkt"), Error);
}

TEST(Words, OfATextAreKeptUntilItChanges) {
  const auto whitespace = make_words("whitespace"), spacy = make_words("spacy-en");
  std::string text = "can't stop";
  EXPECT_EQ(words_of(*whitespace, text), (Split{"can't", "stop"}));
  EXPECT_EQ(words_of(*spacy, text), (Split{"ca", "n't", "stop"}));
  text[3] = ' ';  // the same place and length, other letters
  EXPECT_EQ(words_of(*spacy, text), (Split{"can", "t", "stop"}));
}

// Views must lie inside the text, in order, whatever the bytes.
TEST(Words, OfBrokenTextLieInsideIt) {
  std::mt19937 random(3);
  const std::string_view pieces[] = {"a",
                                     "B",
                                     ".",
                                     "'",
                                     "-",
                                     " ",
                                     "\n",
                                     "9",
                                     "\xEA",
                                     "\xB0\x80",
                                     "\xF0\x9F",
                                     "한",
                                     "\xE2\x80\x99",
                                     "://",
                                     "@",
                                     "US$",
                                     "...",
                                     "km",
                                     "(",
                                     ")",
                                     "\xFF",
                                     "\xE2\x80\x8D",
                                     "😀",
                                     "🇰🇷"};
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (size_t n = random() % 40; n > 0; --n) text += pieces[random() % std::size(pieces)];
    for (const char* name : {"whitespace", "eojeol", "uax29", "spacy-en"}) {
      const char* at = text.data();
      for (const std::string_view word : split(name, text)) {
        ASSERT_FALSE(word.empty()) << name;
        ASSERT_GE(word.data(), at) << name;
        at = word.data() + word.size();
        ASSERT_LE(at, text.data() + text.size()) << name;
      }
    }
  }
}

// spaCy's own patterns take quadratic time on some of these.
TEST(Words, OfHostileTextTakeLinearTime) {
  for (const char* piece : {"(", ")", ".", "a@", "a.", "a-", "::", "'", "...", "-", "a:", "$"}) {
    std::string text;
    while (text.size() < 400'000) text += piece;
    for (const char* name : {"eojeol", "uax29", "spacy-en"}) split(name, text);
  }
}

TEST(Sentences, EndWhereDatatroveEndsThem) {
  const auto cuts = [](std::string_view name, std::string_view text) {
    std::vector<size_t> found;
    make_sentences(name)(text, found);
    return found;
  };
  EXPECT_EQ(cuts("spacy-en", "One here. \"Two!\" (Three?) four"),
            (std::vector<size_t>{11, 18, 26}));
  EXPECT_EQ(cuts("terminal", "A. B. one. two!\nthree"), (std::vector<size_t>{10}));
  EXPECT_EQ(cuts("terminal", "끝이다. 또 끝이다!"), (std::vector<size_t>{10}));
  EXPECT_TRUE(cuts("terminal", "").empty());
}

TEST(Mecab, CutsMorphemesOnManyThreads) {
  if (!std::filesystem::exists(mecab_dictionary() / "sys.dic"))
    GTEST_SKIP() << "needs tools/get_mecab_dic";
  const auto mecab = make_words("mecab");
  const std::string text = "아버지가 방에 들어가신다.\n학교에서 밥을 먹었다";
  const Split expected = {"아버지", "가",   "방", "에", "들어가", "신다", ".",
                          "학교",   "에서", "밥", "을", "먹",     "었",   "다"};
  std::vector<Split> found(4);
  std::vector<std::thread> threads;
  for (Split& words : found)
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) mecab->split(text, words);
    });
  for (std::thread& thread : threads) thread.join();
  for (const Split& words : found) EXPECT_EQ(words, expected);
  // A line of any length is cut where it must be, and no byte is lost.
  std::string long_line;
  while (long_line.size() < 100'000) long_line += "가나다라마바사";
  Split words;
  mecab->split(long_line, words);
  size_t bytes = 0;
  for (const std::string_view word : words) bytes += word.size();
  EXPECT_EQ(bytes, long_line.size());
}

TEST(Mecab, WithoutADictionarySaysHowToGetOne) {
  // In a child process: the environment is the program's.
  EXPECT_EXIT(
      {
        setenv("HELIO_MECAB_DIC", "/nonexistent", 1);
        try {
          make_mecab();
        } catch (const Error& error) {
          std::_Exit(error.hint().find("tools/get_mecab_dic") != std::string::npos ? 7 : 8);
        }
        std::_Exit(9);
      },
      testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace helio::data
