// Items of benchmarks in training text, against files written here.
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/node.h"
#include "data/dedup/benchmarks.h"
#include "data/op.h"
#include "temp_dir.h"

namespace helio::data {
namespace {

const char* kRows =
    "{\"id\": 1, \"question\": \"다음 중 옳은 것을 모두 고르시오 라고 물었을 때\", \"choices\": "
    "{\"text\": [\"첫째 보기는 참이고\", \"둘째 보기는 거짓이다\"]}, \"answer\": \"A\"}\n"
    "{\"id\": 2, \"question\": \"Natalia sold clips to 48 of her friends in April\", \"choices\": "
    "{\"text\": [\"and then half as many clips in May.\"]}, \"answer\": \"B\"}\n";

struct Played {
  Verdict verdict;
  std::string text;
  Counters counters;
};

Played apply(const std::string& op, const std::string& options, const std::string& text) {
  const AnyOp made = find_op(op).make(parse_yaml(options, "test"));
  Document document;
  document.text = text;
  Played played;
  played.verdict = std::get<std::unique_ptr<Map>>(made)->apply(document, played.counters);
  played.text = document.text;
  return played;
}

TEST(Benchmarks, FieldsArePathsAndEveryTextOfThemCounts) {
  const TempDir dir;
  const auto file = dir.write("set/test.jsonl", kRows);
  const auto items = read_benchmarks({(dir.path() / "set").string()},
                                     {.query = {"question"}, .text = {"choices.text"}});
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].name, "set/test.jsonl:1");
  EXPECT_EQ(items[0].text, "첫째 보기는 참이고\n둘째 보기는 거짓이다");
  EXPECT_EQ(items[1].query, "Natalia sold clips to 48 of her friends in April");
  const auto whole = read_benchmarks({file.string()}, {});
  EXPECT_NE(whole[1].text.find("in May."), std::string::npos);
  EXPECT_THROW(read_benchmarks({file.string()}, {.query = {}, .text = {"none"}}), Error);
  EXPECT_THROW(read_benchmarks({(dir.path() / "gone.jsonl").string()}, {}), Error);
  dir.write("empty/readme.txt", "");
  EXPECT_THROW(read_benchmarks({(dir.path() / "empty").string()}, {}), Error);
}

TEST(Decontaminate, RunsOfWordsAreFoundWhateverTheirNumbersAndMarks) {
  const TempDir dir;
  const std::string file = dir.write("b.jsonl", kRows).string();
  const std::string base = "benchmarks: [" + file + "], n_grams: 6, ";
  const std::string whole = "{" + base + "fields: [question]}";
  const auto hit = apply("decontaminate.ngrams", whole,
                         "Web page\nNatalia sold clips to 1,200 of her friends; in April!\nEnd.");
  EXPECT_FALSE(hit.verdict.kept);
  EXPECT_EQ(hit.verdict.reason, "contaminated");
  EXPECT_EQ(hit.verdict.value, 5);  // ten words, runs of six
  EXPECT_EQ(hit.counters, (Counters{{"contaminated.b.jsonl:2", 1}}));
  EXPECT_TRUE(apply("decontaminate.ngrams", whole, "Natalia sold clips to 48 people").verdict.kept);
  EXPECT_FALSE(
      apply("decontaminate.ngrams", whole, "다음 중 옳은 것을 모두 고르시오… 끝").verdict.kept);

  // Lines that meet a run go, the others stay.
  const auto cut = apply("decontaminate.ngrams", "{" + base + "fields: [question], action: remove}",
                         "before it\nNatalia sold clips\nto 48 of her friends\nafter all of it");
  EXPECT_TRUE(cut.verdict.kept);
  EXPECT_EQ(cut.text, "before it\nafter all of it");

  // Answers, and runs that go from the question into them; the question alone only when asked.
  const std::string answers = "{" + base + "query_fields: [question], fields: [choices.text]";
  EXPECT_TRUE(apply("decontaminate.ngrams", answers + "}",
                    "Natalia sold clips to 48 of her friends in April")
                  .verdict.kept);
  EXPECT_FALSE(apply("decontaminate.ngrams", answers + ", match_query: true}",
                     "Natalia sold clips to 48 of her friends in April")
                   .verdict.kept);
  EXPECT_FALSE(
      apply("decontaminate.ngrams", answers + "}", "of her friends in April and").verdict.kept);
  EXPECT_FALSE(apply("decontaminate.ngrams", answers + "}", "and then half as many clips in May")
                   .verdict.kept);
  EXPECT_TRUE(apply("decontaminate.ngrams", answers + ", min_matches: 4}",
                    "and then half as many clips in May")
                  .verdict.kept);
}

TEST(Decontaminate, MinHashFindsWhatIsLikeAnItem) {
  const TempDir dir;
  const std::string file = dir.write("b.jsonl", kRows).string();
  const std::string options = "{benchmarks: [" + file +
                              "], fields: [question], n_grams: 3, min_words: 5, threshold: 0.3, "
                              "permutations: 64";
  const auto hit = apply("decontaminate.minhash", options + "}",
                         "다음 중 옳은 것을 모두 고르시오, 라고 물었을 때!");
  EXPECT_EQ(hit.verdict.reason, "contaminated");
  EXPECT_EQ(hit.verdict.value, 1);
  EXPECT_EQ(hit.counters, (Counters{{"contaminated.b.jsonl:1", 1}}));
  EXPECT_TRUE(
      apply("decontaminate.minhash", options + "}", "전혀 다른 이야기를 하는 긴 글은 남는다 정말로")
          .verdict.kept);
  EXPECT_TRUE(apply("decontaminate.minhash", options + "}", "다음 중 옳은").verdict.kept);
  EXPECT_TRUE(apply("decontaminate.minhash", options + ", min_similarity: 0.95}",
                    "다음 중 옳은 것을 모두 고르시오 라고 물었을 때 그는 답하지 않았다고 한다")
                  .verdict.kept);
}

}  // namespace
}  // namespace helio::data
