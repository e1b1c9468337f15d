#include "eval/ifeval/ifeval.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "core/error.h"
#include "core/lines.h"
#include "eval/ifeval/language_detector.h"
#include "eval/ifeval/punkt.h"
#include "eval/ifeval/python_case.h"
#include "eval/ifeval/python_json.h"
#include "eval/ifeval/python_regex.h"

namespace helio::eval::ifeval {
namespace {

namespace fs = std::filesystem;
const fs::path kCases = fs::path(HELIO_SOURCE_DIR) / "tests/fixtures/ifeval/cases.jsonl.gz";

bool follows(const std::string& id, const Json& arguments, std::string_view response) {
  return make_check(id, arguments, "prompt\nsecond line")(response);
}

// 3000 instructions and responses with the verdicts of lm-evaluation-harness 0.4.13.
TEST(Ifeval, RecordedVerdictsAreTheReferences) {
  std::map<std::string, int64_t> seen;
  int64_t followed = 0;
  read_jsonl(kCases, [&](const Json& row, int64_t line) {
    Item item{.prompt = "p", .instructions = {row.at("id").get<std::string>()}};
    item.checks = {make_check(item.instructions[0], row.at("kwargs"), item.prompt)};
    const Verdict verdict = judge(item, row.at("response").get<std::string>());
    EXPECT_EQ(verdict.strict[0], row.at("strict").get<bool>()) << line << " " << row;
    EXPECT_EQ(verdict.loose[0], row.at("loose").get<bool>()) << line << " " << row;
    ++seen[item.instructions[0]];
    followed += verdict.strict[0];
  });
  EXPECT_EQ(seen.size(), check_ids().size());  // all 25
  EXPECT_GT(followed, 500);
}

TEST(Ifeval, LooseTakesLinesAndAsterisksAway) {
  Item item{.prompt = "p", .instructions = {"startend:quotation"}};
  item.checks = {make_check("startend:quotation", Json::object(), "p")};
  EXPECT_FALSE(judge(item, "Sure:\n\"yes\"").strict[0]);
  EXPECT_TRUE(judge(item, "Sure:\n\"yes\"").loose[0]);       // without the first line
  EXPECT_TRUE(judge(item, "Sure:\n\"yes\"\nBye").loose[0]);  // nor the last
  EXPECT_TRUE(judge(item, "*\"yes\"*").loose[0]);            // without asterisks
  EXPECT_FALSE(judge(item, "a\nb\n\"yes\"").loose[0]);       // two lines are too many
  EXPECT_FALSE(judge(item, "").loose[0]);
}

TEST(Ifeval, BlankResponsesFollowNothing) {
  Item item{.prompt = "p", .instructions = {"punctuation:no_comma"}};
  item.checks = {make_check("punctuation:no_comma", Json::object(), "p")};
  EXPECT_FALSE(judge(item, " \n\t").strict[0]);
  EXPECT_TRUE(judge(item, "a").strict[0]);
}

TEST(Ifeval, LettersThatAreNoneCountAsThemselves) {
  const Json hash = {{"letter", "#"}, {"let_frequency", 2}, {"let_relation", "at least"}};
  EXPECT_TRUE(follows("keywords:letter_frequency", hash, "# and #"));
  EXPECT_FALSE(follows("keywords:letter_frequency", hash, "# only"));
}

TEST(Ifeval, TheDraftRepeatsTheFirstLineOfThePrompt) {
  EXPECT_TRUE(follows("combination:repeat_prompt", Json::object(), " PROMPT then"));
  EXPECT_FALSE(follows("combination:repeat_prompt", Json::object(), "second line"));
}

TEST(Ifeval, WhatWouldBeDrawnAtRandomIsAnError) {
  EXPECT_THROW(make_check("keywords:existence", Json::object(), ""), Error);
  EXPECT_THROW(make_check("length_constraints:number_words",
                          {{"num_words", 0}, {"relation", "at least"}}, ""),
               Error);
  EXPECT_THROW(
      make_check("length_constraints:number_words", {{"num_words", 5}, {"relation", "around"}}, ""),
      Error);
  EXPECT_THROW(make_check("no:such_thing", Json::object(), ""), Error);
  EXPECT_THROW(make_check("keywords:existence", {{"keywords", {"("}}}, ""), Error);
}

TEST(Ifeval, ItemsNameTheLineThatIsWrong) {
  const fs::path file = fs::temp_directory_path() / "helio_ifeval_items.jsonl";
  std::ofstream(file) << R"({"key":1,"prompt":"p","instruction_id_list":["a:b"],"kwargs":[{}]})"
                         "\n";
  try {
    read_items(file);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(error.message().find(":1:"), std::string::npos) << error.message();
    EXPECT_NE(error.message().find("a:b"), std::string::npos) << error.message();
  }
  fs::remove(file);
}

TEST(Punkt, AbbreviationsQuotesAndEllipses) {
  const auto count = [](std::string_view text) { return Punkt::shared().sentences(text).size(); };
  EXPECT_EQ(count("Mr. Smith went to the U.S. today. He left (early.) Done"), 3u);
  EXPECT_EQ(count("She said \"stop.\" He did."), 2u);
  EXPECT_EQ(count("Wait... what?! Yes."), 3u);
  EXPECT_EQ(count(""), 0u);
  EXPECT_EQ(count("   "), 0u);
  EXPECT_EQ(count("안녕하세요. 반갑습니다."), 2u);
}

TEST(WordTokenize, Treebank) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(word_tokenize("Don't GO, it's $5 (now)."),
            (Words{"Do", "n't", "GO", ",", "it", "'s", "$", "5", "(", "now", ")", "."}));
  EXPECT_EQ(word_tokenize("I cannot say \"hi\"."),
            (Words{"I", "can", "not", "say", "``", "hi", "''", "."}));
}

TEST(LanguageDetector, KnowsLanguagesAndSaysWhenItCannot) {
  const auto& detector = LanguageDetector::shared();
  EXPECT_EQ(detector.detect("서울은 대한민국의 수도입니다."), "ko");
  EXPECT_EQ(detector.detect("The capital of Korea is Seoul."), "en");
  EXPECT_EQ(detector.detect("東京は日本の首都です。"), "ja");
  EXPECT_EQ(detector.detect("123 !?"), std::nullopt);
  EXPECT_EQ(detector.detect(""), std::nullopt);
}

TEST(PythonCase, LowerIsUpperAndFolds) {
  EXPECT_EQ(python_lower("ΟΔΥΣΣΕΥΣ İ"), "οδυσσευς i\xCC\x87");
  EXPECT_TRUE(python_isupper("ABC 1."));
  EXPECT_FALSE(python_isupper("ABc"));
  EXPECT_FALSE(python_isupper("123"));
  EXPECT_FALSE(python_isupper("ǅ"));
  EXPECT_TRUE(python_islower("ªbc"));
  EXPECT_EQ(LiteralFinder("kelvin", LiteralFinder::At::anywhere).count("Kelvin KELVIN"), 2);
  EXPECT_EQ(LiteralFinder("is", LiteralFinder::At::word).count("this is ıs İS"), 3);
}

TEST(PythonRegex, FindallOfEmptyMatchesAndBorders) {
  EXPECT_EQ(PythonRegex("a*").count("baac"), 4);                          // '', 'aa', '', ''
  EXPECT_EQ(PythonRegex(R"(\s)").count("a\x1c\xC2\xA0\xE1\xA0\x8E"), 2);  // not U+180E
  EXPECT_EQ(PythonRegex(R"([\s]b)")
                .count("\x1c"
                       "b b"),
            2);
  EXPECT_EQ(PythonRegex("(a)|b").sub("ab", R"([\1]\g<0>)"), "[a]a[]b");
}

TEST(PythonJson, TakesWhatPythonTakes) {
  for (const char* yes : {"NaN", "[-Infinity]", " {\"a\": [1.5e3, \"\\ud83d\"]}\n", "-0", "\"\""})
    EXPECT_TRUE(python_json_accepts(yes)) << yes;
  for (const char* no : {"", "01", "[1,]", "{\"a\":1,}", "{a:1}", "\"\t\"", "1.", "+1", "[1] 2",
                         "\"\\x\"", "nan", "{\"a\" 1}", "'a'"})
    EXPECT_FALSE(python_json_accepts(no)) << no;
  EXPECT_TRUE(python_json_accepts(std::string(4300, '1')));
  EXPECT_FALSE(python_json_accepts(std::string(4301, '1')));
  EXPECT_FALSE(python_json_accepts(std::string(100000, '[')));
}

}  // namespace
}  // namespace helio::eval::ifeval
