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
