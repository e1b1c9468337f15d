// Tasks that are answered in words: how they are judged, and that nothing is asked for twice.
#include "eval/answering.h"

#include <gtest/gtest.h>

#include "fake_model.h"

namespace helio::eval {
namespace {

TEST(Answers, EndBeforeTheFirstStopText) {
  const std::vector<std::string> stops = {"Question:", "\n\n"};
  EXPECT_EQ(cut_at_stops("four. Question: what", stops), "four. ");
  EXPECT_EQ(cut_at_stops("four\n\nQuestion:", stops), "four");
  EXPECT_EQ(cut_at_stops("four\nQuest", stops), "four\nQuest");
  EXPECT_EQ(cut_at_stops("답은 넷", {}), "답은 넷");
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
  static std::string reply(const Answerable& asked) {
    const std::string& prompt = asked.prompt;
    EXPECT_TRUE(prompt.starts_with("Question: 1+1?\nAnswer: 1+1=2\n#### 2\n\nQuestion: "))
        << prompt;
    EXPECT_EQ(asked.max_tokens, 256);
    EXPECT_EQ(asked.temperature, 0);
    if (prompt.find("2+2?") != prompt.npos) return " 2+2 is 4\n#### 4\n\nQuestion: 5+5?";
    if (prompt.find("Half") != prompt.npos) return " That makes $1000.";
    return " #### 10";
  }
  AnsweredTask run(
      FakeRespondent respondent, const std::string& settings = "s",
      const std::function<void(int64_t)>& told = [](int64_t) {}) {
    Journal journal(dir_.path() / "journal.jsonl");
    return answer_task(*task(), respondent, journal, {.settings = settings}, told);
  }

  TempDir dir_;
};

TEST_F(AnswersToGsm8k, BothReadingsOfAnAnswerCount) {
  int64_t told = 0;
  const auto answered = run(FakeRespondent(reply), "s", [&](int64_t more) { told += more; });
  const auto& items = answered.scored.items;
  ASSERT_EQ(items.size(), 4);
  const std::vector<std::pair<double, double>> expected = {{1, 1}, {0, 1}, {0, 0}, {0, 0}};
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(items[i].metrics[0].value, expected[i].first) << i;
    EXPECT_EQ(items[i].metrics[1].value, expected[i].second) << i;
  }
  EXPECT_EQ(items[0].sample.at("response"), " 2+2 is 4\n#### 4\n\n");
  EXPECT_EQ(items[1].sample.at("answer"), "[invalid]");
  EXPECT_EQ(task()->answer_row(1, answered.answers[1], "m"),
            (OrderedJson{{"doc", 1}, {"response", " That makes $1000."}}));
  int64_t cost = 0;
  for (int64_t i = 0; i < 4; ++i) cost += task()->cost(i);
  EXPECT_EQ(told, cost);
}

TEST_F(AnswersToGsm8k, WhatIsInTheJournalIsNotAskedAgain) {
  std::atomic<int64_t> asked = 0;
  const auto first = run(FakeRespondent(reply, &asked), "a");
  EXPECT_EQ(asked, 3) << "of two equal questions one is asked";
  const auto again = run(FakeRespondent(reply, &asked), "a");
  EXPECT_EQ(asked, 3);
  for (size_t i = 0; i < 4; ++i)
    EXPECT_EQ(first.scored.items[i].sample, again.scored.items[i].sample);
  run(FakeRespondent(reply, &asked), "b");
  EXPECT_EQ(asked, 6);
}

// Each answer is in the journal before the next one ends.
TEST_F(AnswersToGsm8k, AStopLosesNoAnswer) {
  std::atomic<int64_t> asked = 0;
  int64_t before = 2;
  const auto stop = [&](int64_t) {
    if (--before == 0) throw Error(ErrorKind::interrupted, "killed");
  };
  EXPECT_THROW(run(FakeRespondent(reply, &asked), "a", stop), Error);
  const int64_t so_far = asked;
  EXPECT_LT(so_far, 3);
  run(FakeRespondent(reply, &asked), "a");
  EXPECT_EQ(asked, 3);
}

TEST_F(AnswersToGsm8k, TheFirstLeaderboardEndsAnswersAtAColon) {
  FakeRespondent respondent([](const Answerable&) { return " So: #### 4"; });
  Journal journal(dir_.path() / "journal.jsonl");
  const auto answered =
      answer_task(*task("openllm-v1"), respondent, journal, {.settings = "s"}, [](int64_t) {});
  EXPECT_EQ(answered.scored.items[0].sample.at("response"), " So");
  EXPECT_EQ(answered.scored.items[0].metrics[0].value, 0);
}

}  // namespace
}  // namespace helio::eval
