#include "text/preference_data.h"

#include <gtest/gtest.h>

#include "../support/temp_dir.h"
#include "core/error.h"
#include "core/fs.h"
#include "text/conversation_data.h"

namespace helio::text {
namespace {

class DataFile : public ::testing::Test {
 protected:
  fs::path file(const std::string& name, const std::string& text) const {
    write_file_atomic(dir_ / name, text);
    return dir_ / name;
  }
  std::string preference_error(const std::string& text) const {
    try {
      load_preferences(file("bad.jsonl", text), 0);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::invalid);
      return error.what();
    }
    ADD_FAILURE() << "no error for " << text;
    return {};
  }
  const TempDir temp_;
  const fs::path dir_ = temp_.path();
};
using PreferenceData = DataFile;
using ConversationData = DataFile;

void expect_pair(const Preference& pair, const std::string& user) {
  ASSERT_FALSE(pair.prompt.empty());
  EXPECT_EQ(pair.prompt.back().role, "user");
  EXPECT_EQ(pair.prompt.back().content, user);
  EXPECT_EQ(pair.chosen, "yes");
  EXPECT_EQ(pair.rejected, "no");
}

TEST_F(PreferenceData, EveryFormGivesTheSamePair) {
  const auto loaded = load_preferences(
      file(
          "all.jsonl",
          R"({"prompt":"q","chosen":"yes","rejected":"no"})"
          "\n"
          R"({"prompt":[{"role":"user","content":"q"}],"chosen":[{"role":"assistant","content":"yes"}],"rejected":[{"role":"assistant","content":"no"}]})"
          "\n\n"
          R"({"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"yes"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"no"}]})"
          "\n"
          R"({"conversations":[{"from":"system","value":"s"},{"from":"human","value":"q"}],"chosen":{"from":"gpt","value":"yes"},"rejected":{"from":"gpt","value":"no"}})"
          "\n"
          R"({"instruction":"q","input":"","chosen":"yes","rejected":"no"})"
          "\n"),
      0);
  ASSERT_EQ(loaded.rows.size(), 5u);
  for (const auto& pair : loaded.rows) expect_pair(pair, "q");
  EXPECT_EQ(loaded.rows[3].prompt[0].role, "system");
  EXPECT_EQ(loaded.rows[2].id, "all.jsonl:4") << "blank lines count";
  EXPECT_TRUE(loaded.refused.empty());
}

TEST_F(PreferenceData, AJsonArrayWithAByteOrderMarkIsRead) {
  const auto loaded = load_preferences(
      file("array.json",
           "\xEF\xBB\xBF[\n {\"prompt\": \"q\", \"chosen\": \"yes\",\n \"rejected\": \"no\"},\n"
           " {\"id\": \"mine\", \"prompt\": \"r\", \"chosen\": \"yes\", \"rejected\": \"no\"}]\n"),
      0);
  ASSERT_EQ(loaded.rows.size(), 2u);
  EXPECT_EQ(loaded.rows[0].id, "array.json row 0");
  EXPECT_EQ(loaded.rows[1].id, "mine");
}

TEST_F(PreferenceData, PairsThatTeachNothingAreCountedNotKept) {
  const auto loaded =
      load_preferences(file("p.jsonl", R"({"prompt":"q","chosen":"yes","rejected":"no"})"
                                       "\n"
                                       R"({"prompt":"q","chosen":"  ","rejected":"no"})"
                                       "\n"
                                       R"({"prompt":"q","chosen":"same","rejected":"same"})"
                                       "\n"
                                       R"({"prompt":"","chosen":"a","rejected":"b"})"
                                       "\n"),
                       0);
  EXPECT_EQ(loaded.rows.size(), 1u);
  EXPECT_EQ(loaded.refused, (std::map<std::string, int64_t>{
                                {"empty_side", 1}, {"equal_sides", 1}, {"empty_prompt", 1}}));
}

TEST_F(PreferenceData, BadRowsSayWhereAndWhat) {
  EXPECT_NE(preference_error("{\"prompt\": 3, \"chosen\": \"a\", \"rejected\": \"b\"}")
                .find("bad.jsonl:1: 'prompt'"),
            std::string::npos);
  EXPECT_NE(preference_error("{\"prompt\": \"q\", \"chosen\": \"a\"}").find("no 'rejected'"),
            std::string::npos);
  EXPECT_NE(preference_error("\n{\"prompt\": \"q\"").find("bad.jsonl:2"), std::string::npos);
  EXPECT_NE(preference_error("3\n").find("an object was expected"), std::string::npos);
  EXPECT_NE(preference_error("").find("no usable preference pair"), std::string::npos);
  EXPECT_NE(
      preference_error(
          R"({"chosen":[{"role":"user","content":"a"},{"role":"assistant","content":"x"}],"rejected":[{"role":"user","content":"b"},{"role":"assistant","content":"y"}]})")
          .find("different conversations"),
      std::string::npos);
}

TEST_F(PreferenceData, PublishedLayoutsAreReadAsTheyAre) {
  const auto loaded = load_preferences(
      file(
          "layouts.jsonl",
          R"({"chosen":"\n\nHuman: hello\n\nAssistant: hi\n\nHuman: q\n\nAssistant: yes","rejected":"\n\nHuman: hello\n\nAssistant: hi\n\nHuman: q\n\nAssistant: no"})"
          "\n"
          R"({"system":"s","question":"q","chosen":"yes","rejected":"no","source":"orca"})"
          "\n"
          R"({"instruction":"q","completions":[{"response":"no","overall_score":2.5},{"response":"yes","overall_score":8}]})"
          "\n"
          R"({"prompt":"q","chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"yes"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"no"}],"score_chosen":8.0})"
          "\n"),
      0);
  ASSERT_EQ(loaded.rows.size(), 4u);
  for (const auto& pair : loaded.rows) expect_pair(pair, "q");
  EXPECT_EQ(loaded.rows[0].prompt.size(), 3u);
  EXPECT_EQ(loaded.rows[0].prompt[1].content, "hi");
  EXPECT_EQ(loaded.rows[1].prompt[0].role, "system");
  EXPECT_EQ(loaded.rows[1].source, "orca");
  EXPECT_EQ(loaded.rows[0].source, "layouts.jsonl");
  EXPECT_NE(
      preference_error(
          R"({"chosen":"\n\nHuman: a\n\nAssistant: x","rejected":"\n\nHuman: b\n\nAssistant: y"})")
          .find("different conversations"),
      std::string::npos);
  EXPECT_NE(preference_error(R"({"chosen":"\n\nHuman: a","rejected":"\n\nHuman: a"})")
                .find("does not end with the assistant"),
            std::string::npos);
  EXPECT_NE(preference_error(R"({"instruction":"q","completions":[{"response":"x"}]})").find("two"),
            std::string::npos);
}

// Of four completions the best is chosen; which other one is rejected depends on nothing but the
// instruction, and each of them is at times.
TEST_F(PreferenceData, TextsWithoutAPromptShareTheirBeginning) {
  const auto loaded = load_preferences(
      file("i.jsonl", R"({"chosen":"The sky is blue.","rejected":"The sky is green."})"
                      "\n"
                      R"({"chosen":"수도는 서울","rejected":"수도는 석울"})"
                      "\n"
                      R"({"chosen":"yes","rejected":"no"})"
                      "\n"),
      0);
  ASSERT_EQ(loaded.rows.size(), 2u);
  EXPECT_EQ(loaded.rows[0].prompt[0].content, "The sky is");
  EXPECT_EQ(loaded.rows[0].chosen, " blue.");
  EXPECT_TRUE(loaded.rows[0].plain);
  EXPECT_EQ(loaded.rows[1].chosen, " 서울");
  EXPECT_EQ(loaded.refused.at("empty_prompt"), 1) << "nothing in common";
}

TEST_F(PreferenceData, UltraFeedbackIsBinarisedAsForZephyr) {
  std::string text;
  for (int i = 0; i < 200; ++i)
    text +=
        R"({"instruction":"q)" + std::to_string(i) +
        R"(","completions":[{"response":"a","overall_score":1},{"response":"best","overall_score":9},{"response":"b","overall_score":5},{"response":"c","overall_score":7}]})"
        "\n";
  const auto loaded = load_preferences(file("u.jsonl", text), 0);
  std::map<std::string, int> rejected;
  for (const auto& pair : loaded.rows) {
    EXPECT_EQ(pair.chosen, "best");
    ++rejected[pair.rejected];
  }
  ASSERT_EQ(rejected.size(), 3u);
  for (const auto& [answer, count] : rejected) EXPECT_GT(count, 40) << answer;
}

TEST_F(PreferenceData, UnpairedAnswersHaveALabel) {
  const auto loaded = load_preferences(
      file(
          "k.jsonl",
          R"({"prompt":"q","completion":"good","label":true})"
          "\n"
          R"({"prompt":[{"role":"user","content":"q"}],"completion":[{"role":"assistant","content":"bad"}],"label":0})"
          "\n"
          R"({"prompt":"q","completion":" ","label":true})"
          "\n"),
      0);
  EXPECT_EQ(loaded.unpaired, 2);
  ASSERT_EQ(loaded.rows.size(), 2u);
  EXPECT_EQ(loaded.rows[0].chosen, "good");
  EXPECT_EQ(loaded.rows[1].rejected, "bad");
  EXPECT_TRUE(loaded.rows[1].chosen.empty());
  EXPECT_EQ(loaded.refused.at("empty_side"), 1);
  EXPECT_NE(preference_error(R"({"prompt":"q","completion":"a","label":"yes"})").find("'label'"),
            std::string::npos);
}

TEST_F(PreferenceData, LlamaFactorysDatasetInfoNamesFilesColumnsAndRoles) {
  file("dataset_info.json", R"({
    "ranked": {"file_name": "r.json", "ranking": true, "formatting": "sharegpt",
               "columns": {"messages": "turns", "chosen": "better", "rejected": "worse"},
               "tags": {"role_tag": "who", "content_tag": "says", "user_tag": "U", "assistant_tag": "A"}},
    "alpaca": {"file_name": "a.jsonl", "columns": {"prompt": "ask", "response": "reply"}},
    "hub": {"hf_hub_url": "x/y"}, "out": {"file_name": "../a.jsonl"}, "odd": {"file_name": "a.jsonl", "columns": 7}})");
  file(
      "r.json",
      R"([{"turns":[{"who":"U","says":"q"}],"better":{"who":"A","says":"yes"},"worse":{"who":"A","says":"no"}}])");
  file("a.jsonl", R"({"ask":"q","reply":"yes"})");
  const auto ranked = load_preferences(dir_, 0, "ranked");
  ASSERT_EQ(ranked.rows.size(), 1u);
  expect_pair(ranked.rows[0], "q");
  const auto alpaca = load_conversations(dir_, 0, "alpaca");
  ASSERT_EQ(alpaca.rows.size(), 1u);
  EXPECT_EQ(alpaca.rows[0].messages[0].content, "q");
  EXPECT_EQ(alpaca.rows[0].messages[1].content, "yes");
  for (const char* bad : {"hub", "out", "none", "odd"})
    EXPECT_THROW(load_conversations(dir_, 0, bad), Error) << bad;
  EXPECT_THROW(load_conversations(dir_, 0), Error) << "a name is needed";
}

TEST(PreferenceSplit, EqualPromptsStayTogetherAndTheShareIsMet) {
  int64_t held = 0;
  for (int i = 0; i < 4000; ++i) {
    const std::string words = "question " + std::to_string(i);
    const Preference one{.id = "a", .prompt = {{"user", words}}, .chosen = "x", .rejected = "y"};
    const Preference two{
        .id = "b", .prompt = {{"user", words}}, .chosen = "other", .rejected = "z"};
    EXPECT_EQ(is_held_out(one, 0.1), is_held_out(two, 0.1));
    EXPECT_FALSE(is_held_out(one, 0));
    EXPECT_TRUE(is_held_out(one, 1));
    EXPECT_LE(is_held_out(one, 0.1), is_held_out(one, 0.3))
        << "a larger share holds out the same and more";
    held += is_held_out(one, 0.1);
  }
  EXPECT_NEAR(static_cast<double>(held) / 4000, 0.1, 0.02);
}

TEST_F(ConversationData, EveryFormIsRead) {
  const auto loaded = load_conversations(
      file("c.jsonl",
           R"({"messages":[{"role":"user","content":"q i"},{"role":"assistant","content":"a"}]})"
           "\n"
           R"({"conversations":[{"from":"human","value":"q i"},{"from":"gpt","value":"a"}]})"
           "\n"
           R"({"prompt":"q i","completion":"a"})"
           "\n"
           R"({"instruction":"q","input":"i","output":"a","system":"s","history":[["u","v"]]})"
           "\n"
           R"({"instruction":"q","input":"","output":" "})"
           "\n"
           R"({"messages":[{"role":"user","content":"alone"}]})"
           "\n"),
      0);
  ASSERT_EQ(loaded.rows.size(), 4u);
  for (size_t i = 0; i < 3; ++i) {
    ASSERT_EQ(loaded.rows[i].messages.size(), 2u);
    EXPECT_EQ(loaded.rows[i].messages[0].content, "q i");
    EXPECT_EQ(loaded.rows[i].messages[1].role, "assistant");
  }
  const auto& alpaca = loaded.rows[3].messages;
  ASSERT_EQ(alpaca.size(), 5u);
  EXPECT_EQ(alpaca[0].role, "system");
  EXPECT_EQ(alpaca[2].content, "v");
  EXPECT_EQ(alpaca[3].content, "q\n\ni");
  EXPECT_EQ(loaded.refused,
            (std::map<std::string, int64_t>{{"empty_answer", 1}, {"no_answer", 1}}));
  EXPECT_EQ(load_conversations(file("d.jsonl", R"({"prompt":"q","completion":"a"})"
                                               "\n"
                                               R"({"prompt":"r","completion":"b"})"),
                               1)
                .rows.size(),
            1u);
}

TEST_F(ConversationData, UnknownFormsAndRolesAreErrors) {
  EXPECT_THROW(load_conversations(file("x.jsonl", R"({"text":"t"})"), 0), Error);
  EXPECT_THROW(
      load_conversations(file("y.jsonl", R"({"messages":[{"role":"tool","content":"t"}]})"), 0),
      Error);
  EXPECT_THROW(load_conversations(file("z.jsonl", R"({"instruction":"q","output":5})"), 0), Error);
  EXPECT_THROW(load_conversations(dir_ / "missing.jsonl", 0), Error);
}

}  // namespace
}  // namespace helio::text
