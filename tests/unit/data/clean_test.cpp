// Cleaning against Dataverse's own results, and against real text that must stay as it is.
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/fs.h"
#include "core/json.h"
#include "core/lines.h"
#include "data/clean/hangul.h"
#include "data/clean/mojibake.h"
#include "data/op.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

std::string applied(const std::string& op, const std::string& options, const std::string& text) {
  const AnyOp made = find_op(op).make(parse_yaml(options, "options"));
  Document document{.id = "1", .text = text};
  Counters counters;
  const Verdict verdict = std::get<std::unique_ptr<Map>>(made)->apply(document, counters);
  return verdict.kept ? document.text : "(dropped)";
}

// {"block", "op", "options", "in", "out"}: what the original's function made of it. The texts are
// ours; where the original is wrong (docs/dataverse.md) nothing was recorded.
TEST(DataverseBlocks, GiveTheOriginalsTextsWhereItIsRight) {
  const fs::path path = fs::path(HELIO_SOURCE_DIR) / "tests/fixtures/dataverse_blocks/rows.jsonl";
  int64_t rows = 0;
  read_jsonl(path, [&](const Json& row, int64_t line) {
    ++rows;
    EXPECT_EQ(applied(row["op"], row["options"], row["in"]), row["out"].get<std::string>())
        << path.string() << ":" << line << " " << row["block"];
  });
  EXPECT_GT(rows, 100);
}

TEST(Hangul, LettersAndSyllablesAreInverse) {
  for (char32_t c = 0xAC00; c <= 0xD7A3; ++c) {
    const Syllable letters = letters_of(c);
    ASSERT_EQ(syllable_of(letters.initial, letters.vowel, letters.final), c);
    std::u32string typed = {letters.initial, letters.vowel};
    if (letters.final) typed += letters.final;
    ASSERT_EQ(compose_typed(typed), std::u32string(1, c));
  }
  EXPECT_EQ(syllable_of(U'ㅏ', U'ㅏ', 0), char32_t(0));
  EXPECT_EQ(syllable_of(U'ㄱ', U'ㅏ', U'ㄸ'), char32_t(0));  // no final
  EXPECT_EQ(compose_typed(U"ㅎㅏㄴㄱㅡㄹㅣ"), U"한그리");
  EXPECT_EQ(compose_typed(U"ㅋㅋㅋ"), U"ㅋㅋㅋ");
}

std::string misread(std::string_view text) {  // UTF-8 as Latin-1
  std::string out;
  for (const char c : text) text::append_utf8(out, static_cast<unsigned char>(c));
  return out;
}

TEST(Mojibake, WhatWasMisreadComesBack) {
  for (const std::string text :
       {"한국어 문장입니다. 따옴표 ‘하나’와 줄임표…", "Café — naïve “quotes”", "日本語のテキスト",
        "가격은 3만 원이다 ☎ ①", "Привет, мир"}) {
    EXPECT_EQ(repair_utf8_mojibake(misread(text)).text, text);
    EXPECT_EQ(repair_utf8_mojibake(misread(misread(text))).text, text);
    EXPECT_EQ(repair_utf8_mojibake(text).runs, 0) << text;
    EXPECT_EQ(repair_cp949_mojibake(text).runs, 0) << text;
  }
  // "안녕하세요. 한국어 문장입니다." in CP949.
  const std::string cp949 =
      "\xBE\xC8\xB3\xE7\xC7\xCF\xBC\xBC\xBF\xE4. \xC7\xD1\xB1\xB9\xBE\xEE "
      "\xB9\xAE\xC0\xE5\xC0\xD4\xB4\xCF\xB4\xD9.";
  EXPECT_EQ(repair_cp949_mojibake(misread(cp949)).text, "안녕하세요. 한국어 문장입니다.");
}

// Real text in Korean and English holds no such thing, or where it does it is named here.
TEST(Mojibake, RealTextStaysAsItIs) {
  const fs::path folder = fs::path(HELIO_SOURCE_DIR) / "../shared/data/corpora";
  if (!fs::exists(folder)) GTEST_SKIP() << "no ../shared/data/corpora";
  int64_t documents = 0;
  std::vector<std::string> changed;
  for (const char* name : {"ko_news_comments", "ko_law_notes", "ko_app_help", "en_misc",
                           "en_app_help", "ko_petitions", "en_books_standardebooks"}) {
    const fs::path path = folder / (std::string(name) + ".jsonl.zst");
    int64_t of_file = 0;
    LineReader lines(path);
    for (std::string_view line; lines.next(line) && of_file < 1500; ++of_file) {
      const Json row = parse_json(line, path.string());
      const std::string text = row["text"];
      if (repair_utf8_mojibake(text).runs + repair_cp949_mojibake(text).runs > 0)
        changed.push_back(row["id"]);
    }
    documents += of_file;
  }
  EXPECT_GT(documents, 3000);
  EXPECT_LE(changed.size(), 3u) << changed.front();
  for (const std::string& id : changed) std::fprintf(stderr, "repaired: %s\n", id.c_str());
}

TEST(CleaningOperators, AnyBytesAreTakenAndDoingItTwiceChangesNothing) {
  const std::string texts[] = {"",
                               "\xFF\xFE",
                               "a\xED\xA0\x80 b",
                               "\xEA\xB0",
                               "ㅋㅋㅋㅋㅋ\xFF쿠ㅜ",
                               "e\xCC\x81\xCC\x81",
                               "&#x;&amp",
                               std::string("\0a\0", 3)};
  for (const auto& [name, op] : ops()) {
    if (!name.starts_with("clean.") || op.shape != Shape::map) continue;
    for (const std::string& text : texts) {
      const std::string once = applied(name, "{}", text);
      EXPECT_EQ(applied(name, "{}", once), once) << name;
    }
  }
}

}  // namespace
}  // namespace helio::data
