// IFEval, EQ-Bench and MT-Bench as tasks: what they ask, when they ask again, and that their
// figures are those of `helio eval score` on the rows they write.
#include <gtest/gtest.h>

#include "eval/answering.h"
#include "eval/results.h"
#include "eval/scorer.h"
#include "fake_model.h"

namespace helio::eval {
namespace {

std::string eq_question(const std::string& who) {
  return OrderedJson{
      {"prompt",
       who + " speaks. Give scores. Then critique your answer by thinking it through step by step. "
             "Finally, give your revised scores.\n\nFirst pass scores:\nJoy: <score>\n\nCritique: "
             "<your critique here>\n\nRevised scores:\nJoy: <score>\n\n[End of answer]\n\n"
             "Remember.\n"},
      {"reference_answer_fullscale",
       {{"emotion1", "Joy"},
        {"emotion2", "Fear"},
        {"emotion3", "Anger"},
        {"emotion4", "Calm"},
        {"emotion1_score", 8},
        {"emotion2_score", "0"},
        {"emotion3_score", 2},
        {"emotion4_score", 5}}}}
      .dump();
}

class WordsTasks : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto item = [](int key, const std::string& prompt, const OrderedJson& ids,
                         const OrderedJson& kwargs) {
      return OrderedJson{
                 {"key", key}, {"prompt", prompt}, {"instruction_id_list", ids}, {"kwargs", kwargs}}
                 .dump() +
             "\n";
    };
    const std::string rows =
        item(1, "No commas.", OrderedJson::array({"punctuation:no_comma"}),
             OrderedJson::array({OrderedJson::object()})) +
        item(2, "No commas, quoted.",
             OrderedJson::array({"punctuation:no_comma", "startend:quotation"}),
             OrderedJson::array({OrderedJson::object(), OrderedJson::object()}));
    dir_.write("ifeval/input_data.jsonl", rows);
    dir_.write("ifeval/evalverse_input_data.jsonl", rows);
    dir_.write("eq_bench/eq_bench_v2_questions_171.json",
               "{\"10\": " + eq_question("Ann") + ", \"2\": " + eq_question("Bo") + "}");
    dir_.write("mt_bench/question.jsonl",
               R"({"question_id": 101, "category": "reasoning", "turns": ["Who?", "Why?"]})"
               "\n"
               R"({"question_id": 81, "category": "writing", "turns": ["Write.", "Again."]})"
               "\n");
  }

  std::unique_ptr<Task> task(const std::string& name, const std::string& chat = "auto") {
    return make_task(find_task(name), {.benchmarks = dir_.path().string(), .chat_template = chat});
  }
  AnsweredTask run(const Task& task, const FakeRespondent::Says& says) {
    FakeRespondent respondent([&](const Answerable& asked) {
      asked_.push_back(asked);
      return says(asked);
    });
    Journal journal(dir_.path() / ("journal" + std::to_string(++journals_)));
    return answer_task(task, respondent, journal, {.settings = "s", .chat_template = "t"},
                       [](int64_t) {});
  }
  // What eval score makes of the rows.
  OrderedJson scored(const std::string& name, const Task& task, const AnsweredTask& answered,
                     const std::string& variant = {}) {
    const auto scorer = make_scorer(name, {.variant = variant, .benchmarks = dir_.path().string()});
    for (size_t i = 0; i < answered.answers.size(); ++i)
      scorer->score(Json(task.answer_row(static_cast<int64_t>(i), answered.answers[i], "m")));
    return scorer->summary();
  }

  TempDir dir_;
  std::vector<Answerable> asked_ = {};
  int journals_ = 0;
};

TEST_F(WordsTasks, IfevalAsksOnceAndCountsAsItsScorer) {
  for (const auto& [name, tokens, variant] : {std::tuple("ifeval", 1280, "official"),
                                              std::tuple("ifeval_evalverse", 2048, "evalverse")}) {
    SCOPED_TRACE(name);
    asked_.clear();
    const auto t = task(name);
    const auto answered = run(*t, [](const Answerable&) { return "\"One two\""; });
    ASSERT_EQ(asked_.size(), 2u);
    EXPECT_EQ(asked_[1].messages.size(), 1u);
    EXPECT_EQ(asked_[1].messages[0].role, "user");
    EXPECT_EQ(asked_[1].messages[0].content, "No commas.");
    EXPECT_EQ(asked_[1].max_tokens, tokens);
    EXPECT_EQ(asked_[1].temperature, 0);
    const auto mixed = run(*t, [](const Answerable& a) {
      return a.messages[0].content == "No commas." ? "Yes" : "no, \nnever";
    });
    const OrderedJson result = result_json(*t, mixed.scored, "m");
    EXPECT_EQ(result["n"], 2);
    const OrderedJson summary = scored("ifeval", *t, mixed, variant);
    for (const char* metric : {"prompt_level_strict_acc", "prompt_level_loose_acc",
                               "inst_level_strict_acc", "inst_level_loose_acc"})
      EXPECT_EQ(result["metrics"][metric]["value"], summary[metric]) << metric;
    for (const std::string metric : {"prompt_level_strict_acc", "prompt_level_loose_acc"})
      EXPECT_DOUBLE_EQ(result["metrics"][metric]["stderr"].get<double>(),
                       summary[metric + "_stderr"].get<double>());
    EXPECT_EQ(result["metrics"]["inst_level_strict_acc"]["value"].get<double>(), 1.0 / 3);
    EXPECT_EQ(result["by_instruction"], summary["by_instruction"]);
    EXPECT_EQ(mixed.scored.items[0].sample["correct"], true);
    EXPECT_EQ(mixed.scored.items[1].sample["strict"], OrderedJson::array({false, false}));
  }
}

TEST_F(WordsTasks, EqBenchAsksAgainUntilTheAnswerCanBeRead) {
  const auto t = task("eq_bench");
  const auto answered = run(*t, [&](const Answerable& a) -> std::string {
    if (a.messages.back().content.starts_with("Ann"))
      return a.temperature < 0.1 ? "I feel much." : "Joy: 7\nFear: 0\nAnger: 9\nCalm: 5";
    return "Joy: 0\nFear: 0\nAnger: 0\nCalm: 0";  // a sum of 0 counts as unread
  });
  EXPECT_EQ(t->item_id(0), "10") << "in the file's order";
  EXPECT_EQ(answered.answers[0].size(), 2u);
  EXPECT_EQ(answered.answers[1].size(), 5u);
  ASSERT_EQ(asked_.size(), 7u);
  EXPECT_EQ(asked_[0].messages[0].role, "system");
  EXPECT_EQ(asked_[0].messages[0].content, "You are an expert in emotional analysis.");
  EXPECT_EQ(asked_[0].messages[1].content.find("ritique"), std::string::npos);
  EXPECT_TRUE(asked_[0].messages[1].content.ends_with("\nYour answer:\n"));
  EXPECT_EQ(asked_[0].max_tokens, 60);
  std::set<uint64_t> seeds;
  for (const auto& each : asked_) seeds.insert(each.seed);
  EXPECT_EQ(seeds.size(), 7u) << "each draw is another";
  EXPECT_DOUBLE_EQ(asked_[0].temperature, 0.01);
  EXPECT_DOUBLE_EQ(asked_[2].temperature, 0.16);
  EXPECT_DOUBLE_EQ(asked_[6].temperature, 0.61);

  // One of two is too few: no score, but what there is.
  OrderedJson result = result_json(*t, answered.scored, "m");
  const OrderedJson summary = scored("eq_bench", *t, answered);
  EXPECT_EQ(result["status"], "failed");
  EXPECT_FALSE(result.contains("metrics"));
  EXPECT_NE(result["reason"].get<std::string>().find("1 of 2"), std::string::npos);
  EXPECT_EQ(summary["failed"], true);
  EXPECT_EQ(result["parseable"], 1);
  EXPECT_EQ(result["retries"], summary["retries"]);
  EXPECT_DOUBLE_EQ(result["mean_of_parseable"].get<double>(), summary["score"].get<double>());

  const auto good = run(*t, [](const Answerable& a) -> std::string {
    return a.messages.back().content.starts_with("Ann") ? "Joy: 7\nFear: 0\nAnger: 9\nCalm: 5"
                                                        : "Joy: 8\nFear: 0\nAnger: 2\nCalm: 5";
  });
  result = result_json(*t, good.scored, "m");
  EXPECT_EQ(result["status"], "ok");
  EXPECT_DOUBLE_EQ(result["metrics"]["score"]["value"].get<double>(),
                   scored("eq_bench", *t, good)["score"].get<double>());
  EXPECT_EQ(good.scored.items[1].sample["score"], 100.0);
  EXPECT_EQ(task("eq_bench_evalverse")->question(0, {"a", "b", "c"}), std::nullopt);
  EXPECT_NE(task("eq_bench_evalverse")->question(0, {"a", "b"}), std::nullopt);
}

TEST_F(WordsTasks, MtBenchGoesOnWithTheModelsOwnAnswer) {
  const auto t = task("mt_bench");
  const auto answered =
      run(*t, [](const Answerable& a) { return "  re: " + a.messages.back().content + " \n"; });
  ASSERT_EQ(asked_.size(), 4u);
  const auto& turn_two = *std::find_if(asked_.begin(), asked_.end(), [](const Answerable& a) {
    return a.messages.back().content == "Again.";
  });
  ASSERT_EQ(turn_two.messages.size(), 3u);
  EXPECT_EQ(turn_two.messages[1].role, "assistant");
  EXPECT_EQ(turn_two.messages[1].content, "re: Write.");
  EXPECT_DOUBLE_EQ(turn_two.temperature, 0.7);
  EXPECT_EQ(turn_two.max_tokens, 1024);
  // By category: writing stands first in the task.
  EXPECT_EQ(t->parts().size(), 8u);
  EXPECT_EQ(t->item_id(0), "81");
  EXPECT_EQ(t->question(1, {})->temperature, 0);
  EXPECT_EQ(t->answer_row(0, answered.answers[0], "org/m"),
            (OrderedJson{{"question_id", 81},
                         {"model_id", "org/m"},
                         {"choices", {{{"index", 0}, {"turns", {"re: Write.", "re: Again."}}}}}}));
  EXPECT_NE(task("mt_bench", "none")->not_run().find("chat template"), std::string::npos);
}

TEST_F(WordsTasks, WithoutAChatTemplateTheTextIsAsked) {
  const auto t = task("eq_bench", "none");
  std::vector<std::string> prompts;
  FakeRespondent respondent([&](const Answerable& asked) {
    EXPECT_TRUE(asked.messages.empty());
    prompts.push_back(asked.prompt);
    return "Joy: 8\nFear: 0\nAnger: 2\nCalm: 5";
  });
  Journal journal(dir_.path() / "journal.jsonl");
  answer_task(*t, respondent, journal, {.settings = "s"}, [](int64_t) {});
  ASSERT_EQ(prompts.size(), 2u);
  EXPECT_TRUE(prompts[1].starts_with("Ann speaks.")) << prompts[1];
  const auto turns = task("mt_bench");
  EXPECT_THROW(answer_task(*turns, respondent, journal, {.settings = "s"}, [](int64_t) {}), Error);
}

TEST_F(WordsTasks, AnotherTemplateIsAnotherAnswer) {
  const auto t = task("ifeval");
  std::atomic<int64_t> asked = 0;
  FakeRespondent respondent([](const Answerable&) { return "a"; }, &asked);
  Journal journal(dir_.path() / "journal.jsonl");
  const auto again = [&](const std::string& hash) {
    answer_task(*t, respondent, journal, {.settings = "s", .chat_template = hash}, [](int64_t) {});
    return asked.load();
  };
  EXPECT_EQ(again("a"), 2);
  EXPECT_EQ(again("a"), 2);
  EXPECT_EQ(again("b"), 4);
}

}  // namespace
}  // namespace helio::eval
