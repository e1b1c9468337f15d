// EQ-Bench, GSM8K and MT-Bench: what is read out of an output, and what it is worth.
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "eval/answering.h"
#include "eval/eq_bench/eq_bench.h"
#include "eval/gsm8k/gsm8k.h"
#include "eval/mt_bench/judge.h"
#include "eval/mt_bench/mt_bench.h"
#include "eval/task_spec.h"

namespace helio::eval {
namespace {

using eq_bench::Answer;
const eq_bench::Item kItem{.id = "1",
                           .reference = {{{"Calm", 0}, {"Angry", 6}, {"Sad", 3}, {"Proud", 7}}}};

TEST(EqBench, ScoresDistancesOnAnSCurve) {
  const auto score = [](double a, double b, double c, double d) {
    return *eq_bench::score_answer(kItem, {{"Sad", c}, {"Calm", a}, {"Angry", b}, {"Proud", d}});
  };
  EXPECT_DOUBLE_EQ(score(0, 6, 3, 7), 10);
  // One apart: 6.5 / (1 + e^3.6); six apart: six.
  EXPECT_NEAR(score(0, 7, 3, 7), 10 - 0.7477 * 6.5 / (1 + std::exp(3.6)), 1e-12);
  EXPECT_NEAR(score(6, 6, 3, 7), 10 - 0.7477 * 6, 1e-12);
  EXPECT_LT(score(10, 0, 10, 0), 0);
}

TEST(EqBench, ReadsWordsAndNumbers) {
  EXPECT_EQ(eq_bench::parse_answer("Calm: 1\nAngry:  7 Calm: 3\nSad:2"),
            (Answer{{"Calm", 3}, {"Angry", 7}}));  // the last counts; a space is needed
  EXPECT_EQ(eq_bench::parse_answer("화남: ٣"), (Answer{{"화남", 3}}));
  const auto passes = eq_bench::parse_passes(
      "First pass scores:\nCalm: 1\n\nCritique: no\n\nRevised scores:\nCalm: 2\n");
  EXPECT_EQ(passes.first, (Answer{{"Calm", 1}}));
  EXPECT_EQ(passes.revised, (Answer{{"Calm", 2}}));
  EXPECT_TRUE(eq_bench::parse_passes("First pass scores:\nCalm: 1").first.empty());
}

TEST(EqBench, OtherEmotionsAndAllZerosAreNoAnswer) {
  EXPECT_FALSE(eq_bench::score_answer(kItem, {{"Calm", 1}, {"Angry", 1}, {"Sad", 1}}));
  EXPECT_FALSE(
      eq_bench::score_answer(kItem, {{"calm", 1}, {"Angry", 1}, {"Sad", 1}, {"Proud", 1}}));
  const Answer zeros = {{"Calm", 0}, {"Angry", 0}, {"Sad", 0}, {"Proud", 0}};
  EXPECT_TRUE(eq_bench::score_answer(kItem, zeros));
  EXPECT_FALSE(eq_bench::is_parseable(kItem, zeros));
}

TEST(EqBench, TakesTheCritiqueOutOfAPrompt) {
  EXPECT_EQ(eq_bench::prompt_without_revision(
                "Score each. Then critique your answer by thinking it through step by step. "
                "Finally, give your revised scores.\n\nFirst pass scores:\nCalm: <score>\n\n"
                "Critique: <your critique here>\n\nRevised scores:\nCalm: <revised score>\n\n"
                "[End of answer]\n\nRemember: x\n"),
            "Score each.\n\nCalm: <score>\n\n\n[End of answer]\n\nRemember: x\n\nYour answer:\n");
  EXPECT_THROW(eq_bench::prompt_without_revision("no critique"), Error);
}

TEST(Gsm8k, FiltersAndComparison) {
  EXPECT_EQ(gsm8k::strict_match("so #### 1,234.\n#### 5"), "1,234.");
  EXPECT_EQ(gsm8k::strict_match("the answer is 5"), "[invalid]");
  EXPECT_EQ(gsm8k::flexible_extract("from 3 to $1,200.50 or -7"), "-7");
  EXPECT_EQ(gsm8k::flexible_extract("it costs $18."), "$18.");
  EXPECT_EQ(gsm8k::flexible_extract("none"), "[invalid]");
  EXPECT_TRUE(gsm8k::exact_match("$1,200.", "2 * 600 = <<2*600=1200>>1200\n#### 1200"));
  EXPECT_FALSE(gsm8k::exact_match("12", "#### 1200"));
  EXPECT_TRUE(gsm8k::leaderboard_v1_match("#### 1,200", "#### 1200"));
  EXPECT_FALSE(gsm8k::leaderboard_v1_match("#### 1200.", "#### 1200"));  // no period is dropped
  EXPECT_FALSE(gsm8k::leaderboard_v1_match("1200", "no number"));
}

TEST(Gsm8k, ProfilesStopAtTheirStrings) {
  const auto stops = [](const char* profile) {
    return with_profile(find_task("gsm8k"), profile).answer.until;
  };
  EXPECT_EQ(cut_at_stops("a: b Question: c", stops("openllm-v1")), "a");
  EXPECT_EQ(cut_at_stops("a: b Question: c", stops("current")), "a: b ");
  EXPECT_EQ(cut_at_stops("x</s>y", stops("evalverse")), "x");
}

TEST(MtBench, RatingsAndVerdicts) {
  EXPECT_EQ(mt_bench::rating_of("I say [3]. Rating: [[7.5]]"), 7.5);
  EXPECT_EQ(mt_bench::rating_of("Rating: [[10]] [[1]]"), 10);
  EXPECT_EQ(mt_bench::rating_of("Rating: [6]"), 6);
  EXPECT_EQ(mt_bench::rating_of("Rating: [[rating]] 8"), std::nullopt);
  EXPECT_EQ(mt_bench::verdict_of("[[B]] rather than [[A]]"), mt_bench::Verdict::a);
  EXPECT_EQ(mt_bench::verdict_of("[[C]]"), mt_bench::Verdict::tie);
  EXPECT_EQ(mt_bench::verdict_of("A"), mt_bench::Verdict::error);
  EXPECT_EQ(mt_bench::temperature_of("writing"), 0.7);
  EXPECT_EQ(mt_bench::temperature_of("stem"), 0.1);
  EXPECT_EQ(mt_bench::temperature_of("coding"), 0);
}

TEST(MtBench, FillsTemplatesOnce) {
  EXPECT_EQ(mt_bench::fill_template("{a} {{x}} {b}", {{"a", "{b}"}, {"b", "2"}}), "{b} {x} 2");
  EXPECT_THROW(mt_bench::fill_template("{c}", {}), Error);
  EXPECT_THROW(mt_bench::fill_template("{", {}), Error);
}

mt_bench::JudgeData judge_data() {
  mt_bench::JudgeData data;
  data.questions = {{81, "writing", {"Q1", "Q2"}}, {111, "math", {"M1", "M2"}}};
  for (const char* name :
       {"single-v1", "single-math-v1", "single-v1-multi-turn", "single-math-v1-multi-turn",
        "pair-v2", "pair-math-v1", "pair-v2-multi-turn", "pair-math-v1-multi-turn"}) {
    const std::string n = name;
    const bool second = n.ends_with("turn"), pair = n.starts_with("pair");
    std::string form = second ? "{question_1}{question_2}" : "{question}";
    if (pair)
      form += second ? "{answer_a_1}{answer_a_2}{answer_b_1}{answer_b_2}" : "{answer_a}{answer_b}";
    else form += second ? "{answer_1}{answer_2}" : "{answer}";
    if (n.find("math") != n.npos)
      form += second ? "{ref_answer_1}{ref_answer_2}" : "{ref_answer_1}";
    data.prompts[n] = {n, pair ? "pairwise" : "single", "system " + n, form};
  }
  data.references = {{111, {"R1", "R2"}}};
  return data;
}

TEST(MtBench, MatchesHaveReferencesAndBothOrders) {
  const mt_bench::ModelAnswers mine{"mine", {{81, {"a1", "a2"}}, {111, {"m1", "m2"}}}},
      theirs{"theirs", {{81, {"b1", "b2"}}, {111, {"n1", "n2"}}}};
  const auto single = mt_bench::make_matches(judge_data(), mine, {});
  ASSERT_EQ(single.size(), 4u);
  EXPECT_EQ(single[0].prompts, (std::vector<std::string>{"Q1a1"}));
  EXPECT_EQ(single[1].prompts, (std::vector<std::string>{"M1m1R1"}));
  EXPECT_EQ(single[1].prompt_name, "single-math-v1");
  EXPECT_EQ(single[3].prompts, (std::vector<std::string>{"M1M2m1m2R1R2"}));
  EXPECT_EQ(single[3].system, "system single-math-v1-multi-turn");
  const auto pair = mt_bench::make_matches(judge_data(), mine, theirs);
  EXPECT_EQ(pair[0].prompts, (std::vector<std::string>{"Q1a1b1", "Q1b1a1"}));
  EXPECT_EQ(pair[2].prompts, (std::vector<std::string>{"Q1Q2a1a2b1b2", "Q1Q2b1b2a1a2"}));
  EXPECT_EQ(pair[3].prompt_name, "pair-math-v1-multi-turn");
}

TEST(MtBench, MissingAnswersAndReferencesAreErrors) {
  auto data = judge_data();
  EXPECT_THROW(mt_bench::make_matches(data, {"mine", {{81, {"a1"}}}}, {}), Error);
  data.references.clear();
  EXPECT_THROW(mt_bench::make_matches(data, {"mine", {{81, {"a", "b"}}, {111, {"c", "d"}}}}, {}),
               Error);
}

TEST(Endpoint, NamesAreSplitAtTheLastMark) {
  EXPECT_EQ(split_endpoint("openai:http://h:1/v1/#a/b"),
            std::pair(std::string("http://h:1/v1"), std::string("a/b")));
  for (const char* wrong :
       {"openai:http://h", "http://h#m", "openai:file:///etc#m", "openai:http://h#"})
    EXPECT_THROW(split_endpoint(wrong), Error) << wrong;
}

}  // namespace
}  // namespace helio::eval
