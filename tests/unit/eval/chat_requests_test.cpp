// Benchmarks with examples asked in a chat template: the contexts and continuations that
// lm-evaluation-harness 0.4.13 makes with --apply_chat_template (fewshot_context, build_qa_turn,
// construct_requests).
#include <gtest/gtest.h>

#include "eval/task.h"
#include "fake_model.h"

namespace helio::eval {
namespace {

class ChatRequests : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_.write(
        "arc_challenge/train.jsonl",
        R"({"question":"Wet?","choices":{"text":["sand","rain"],"label":["A","B"]},"answerKey":"B"})");
    dir_.write(
        "arc_challenge/test.jsonl",
        R"({"question":"Hot?","choices":{"text":["ice","fire"],"label":["A","B"]},"answerKey":"B"})");
    const std::string mmlu =
        R"({"subject":"high_school_art","question":"Q1 ","choices":["a","b","c","d"],"answer":2})";
    dir_.write("mmlu/dev.jsonl", mmlu);
    dir_.write(
        "mmlu/test.jsonl",
        R"({"subject":"high_school_art","question":"Q2","choices":["a","b","c","d"],"answer":0})");
    dir_.write("gsm8k/train.jsonl", R"({"question":"1+1?","answer":"#### 2"})");
    dir_.write("gsm8k/test.jsonl", R"({"question":"2+2?","answer":"#### 4"})");
    const std::string winogrande =
        R"({"sentence":"The cat saw the dog, so _ ran off.","option1":"cat","option2":"dog","answer":"1"})";
    dir_.write("winogrande/validation.jsonl", winogrande);
  }

  std::unique_ptr<Task> task(TaskSpec spec, const std::string& how) {
    auto made = make_task(
        spec, {.benchmarks = dir_.path().string(), .shots = 1, .apply_chat_template = how});
    EXPECT_EQ(made->not_run(), "");
    made->write_in(&model_.chat());
    return made;
  }
  // The requests as text: the context, '|', the continuation.
  std::vector<std::string> requests(const Task& task) {
    std::vector<std::string> out;
    for (const auto& request : task.requests(0, model_))
      out.push_back(model_.tokenizer().decode(request.context, text::SpecialTokens::add) + "|" +
                    model_.tokenizer().decode(request.continuation, text::SpecialTokens::add));
    return out;
  }

  TempDir dir_;
  FakeModel model_{FakeOptions{}};
};

// Whitespace at the end of a context moves to the continuation, here the template's line break.
TEST_F(ChatRequests, ExamplesAreTurns) {
  EXPECT_EQ(requests(*task(find_task("arc_challenge"), "multi_turn")),
            (std::vector<std::string>{
                "### User:\nQuestion: Wet?\nAnswer:\n\n### Assistant:\nrain</s>\n\n### "
                "User:\nQuestion: Hot?\nAnswer:\n\n### Assistant:|\nice",
                "### User:\nQuestion: Wet?\nAnswer:\n\n### Assistant:\nrain</s>\n\n### "
                "User:\nQuestion: Hot?\nAnswer:\n\n### Assistant:|\nfire"}));
}

TEST_F(ChatRequests, OrStandInOneMessage) {
  EXPECT_EQ(requests(*task(find_task("arc_challenge"), "single_turn"))[1],
            "### User:\nQuestion: Wet?\nAnswer: rain\n\nQuestion: Hot?\nAnswer:\n\n### "
            "Assistant:|\nfire");
}

TEST_F(ChatRequests, ADescriptionIsTheSystems) {
  TaskSpec mmlu = find_task("mmlu");
  mmlu.subjects = {"high_school_art"};
  mmlu.part_groups = {};
  const std::string question = "\nA. a\nB. b\nC. c\nD. d\nAnswer:";
  EXPECT_EQ(requests(*task(mmlu, "multi_turn"))[0],
            "### System:\nThe following are multiple choice questions (with answers) about high "
            "school art.\n\n\n\n### User:\nQ1" +
                question + "\n\n### Assistant:\nC</s>\n\n### User:\nQ2" + question +
                "\n\n### Assistant:|\nA");
}

TEST_F(ChatRequests, EachContextIsAQuestionWhereTheyDiffer) {
  TaskSpec spec = find_task("winogrande");
  spec.data.places = {"winogrande/{split}"};
  spec.shots.split = "validation";
  spec.shots.draw_extra = 0;
  const auto asked = requests(*task(spec, "multi_turn"));
  const std::string example =
      "### User:\nThe cat saw the dog, so cat\n\n### Assistant:\nran off.</s>\n\n";
  EXPECT_EQ(asked[0],
            example + "### User:\nThe cat saw the dog, so cat\n\n### Assistant:|\nran off.");
  EXPECT_EQ(asked[1],
            example + "### User:\nThe cat saw the dog, so dog\n\n### Assistant:|\nran off.");
}

TEST_F(ChatRequests, AnswersInWordsAreConversations) {
  const auto question = task(find_task("gsm8k"), "multi_turn")->question(0, {});
  ASSERT_TRUE(question);
  EXPECT_TRUE(question->prompt.empty());
  std::string all;
  for (const auto& message : question->messages) all += message.role + "=" + message.content + ";";
  EXPECT_EQ(all, "user=Question: 1+1?\nAnswer:;assistant=#### 2;user=Question: 2+2?\nAnswer:;");
  EXPECT_EQ(task(find_task("gsm8k"), "single_turn")->question(0, {})->messages[0].content,
            "Question: 1+1?\nAnswer: #### 2\n\nQuestion: 2+2?\nAnswer:");
  EXPECT_EQ(task(find_task("gsm8k"), "no")->settings().contains("chat_template"), false);
  EXPECT_EQ(task(find_task("gsm8k"), "multi_turn")->settings().at("examples_as"), "multi_turn");
}

}  // namespace
}  // namespace helio::eval
