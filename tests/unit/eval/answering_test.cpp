// Tasks that are answered in words: where answers end, how they are judged, and that none is asked
// for twice.
#include "eval/answering.h"

#include <gtest/gtest.h>

#include "fake_model.h"

namespace helio::eval {
namespace {

Question question() { return {.prompt = "Q:", .until = {"Question:", "\n\n"}, .max_tokens = 20}; }

std::string answer_to(const std::string& said, const Question& asked = question()) {
  FakeModel model({.says = [&](const std::string&) { return said; }});
  return answer_of(asked, model, text::SpecialTokens::add);
}

TEST(Answers, EndBeforeTheFirstStopText) {
  EXPECT_EQ(answer_to("four. Question: what"), "four. ");
  EXPECT_EQ(answer_to("four\n\nQuestion:"), "four");
  EXPECT_EQ(answer_to("four\nQuest"), "four\nQuest");
  EXPECT_EQ(answer_to("123456789012345678901234567890"), "12345678901234567890");
  EXPECT_EQ(answer_to("답은 넷"), "답은 넷");
  EXPECT_EQ(answer_to(""), "");
}

class AnswersToGsm8k : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_.write("gsm8k/test.jsonl",
               R"({"question": "2+2?", "answer": "2+2=4\n#### 4"})"
               "\n"
               R"({"question": "Half of 2,000?", "answer": "It is\n#### 1,000"})"
               "\n"
               R"({"question": "3*3?", "answer": "#### 9"})"
               "\n");
    dir_.write("gsm8k/train.jsonl", R"({"question": "1+1?", "answer": "1+1=2\n#### 2"})"
                                    "\n");
  }
  std::unique_ptr<Task> task(const std::string& profile = "current") {
    return make_task(find_task("gsm8k"),
                     {.benchmarks = dir_.path().string(), .profile = profile, .shots = 1});
  }
  // The right number in the protocol's form, the right one elsewhere, and a wrong one.
  static std::string reply(const std::string& prompt) {
    EXPECT_TRUE(prompt.starts_with("Question: 1+1?\nAnswer: 1+1=2\n#### 2\n\nQuestion: "))
        << prompt;
    if (prompt.find("2+2?") != prompt.npos) return " 2+2 is 4\n#### 4\n\nQuestion: 5+5?";
    if (prompt.find("Half") != prompt.npos) return " That makes $1000.";
    return " #### 10";
  }

  TempDir dir_;
};

TEST_F(AnswersToGsm8k, BothReadingsOfAnAnswerCount) {
  FakeModel model({.says = reply});
  Journal journal(dir_.path() / "journal.jsonl");
  int64_t told = 0;
  const auto scored =
      answer_task(*task(), model, journal, "s", [&](int64_t more) { told += more; });
  ASSERT_EQ(scored.items.size(), 3);
  const std::vector<std::pair<double, double>> expected = {{1, 1}, {0, 1}, {0, 0}};
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(scored.items[i].metrics[0].value, expected[i].first) << i;
    EXPECT_EQ(scored.items[i].metrics[1].value, expected[i].second) << i;
  }
  EXPECT_EQ(scored.items[0].sample.at("response"), " 2+2 is 4\n#### 4\n\n");
  EXPECT_EQ(scored.items[1].sample.at("answer"), "[invalid]");
  int64_t cost = 0;
  for (int64_t i = 0; i < 3; ++i) cost += task()->cost(i);
  EXPECT_EQ(told, cost);
}

TEST_F(AnswersToGsm8k, WhatIsInTheJournalIsNotAskedAgain) {
  std::atomic<int64_t> asked = 0;
  FakeModel model({.asked = &asked, .says = reply});
  const auto run = [&](const std::string& settings) {
    Journal journal(dir_.path() / "journal.jsonl");
    return answer_task(*task(), model, journal, settings, [](int64_t) {});
  };
  const auto first = run("a");
  EXPECT_EQ(asked, 3);
  const auto again = run("a");
  EXPECT_EQ(asked, 3);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(first.items[i].sample, again.items[i].sample);
  run("b");
  EXPECT_EQ(asked, 6);
}

TEST_F(AnswersToGsm8k, TheFirstLeaderboardEndsAnswersAtAColon) {
  FakeModel model({.says = [](const std::string&) { return " So: #### 4"; }});
  Journal journal(dir_.path() / "journal.jsonl");
  const auto scored = answer_task(*task("openllm-v1"), model, journal, "s", [](int64_t) {});
  EXPECT_EQ(scored.items[0].sample.at("response"), " So");
  EXPECT_EQ(scored.items[0].metrics[0].value, 0);
}

}  // namespace
}  // namespace helio::eval
