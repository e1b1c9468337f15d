// Conversations in chat templates: SOLAR's and ChatML's own, and templates without marks.
#include <gtest/gtest.h>

#include "../support/temp_dir.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/json.h"
#include "core/lines.h"
#include "text/chat_format.h"

namespace helio::text {
namespace {

const fs::path kFixture = fs::path(HELIO_SOURCE_DIR) / "tests/fixtures/chat_solar";

std::vector<Message> messages_of(const Json& row) {
  std::vector<Message> out;
  for (const auto& message : row["messages"])
    out.push_back({message["role"].get<std::string>(), message["content"].get<std::string>()});
  return out;
}

class Chats : public testing::Test {
 protected:
  Chats() {
    write_file_atomic(dir_ / "tokenizer.json", read_file(kFixture / "tokenizer.json"));
    write_file_atomic(dir_ / "tokenizer_config.json",
                      R"({"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"})");
    tokenizer_ = load_tokenizer(dir_);
  }
  ChatFormat format(const std::string& setting) const {
    return ChatFormat::load(dir_, *tokenizer_, setting);
  }
  ChatFormat format_of(const std::string& source) const {
    write_file_atomic(dir_ / "t.jinja", source);
    return format((dir_ / "t.jinja").string());
  }
  std::string said(const RenderedChat& chat) const {
    std::vector<TokenId> ids;
    for (size_t i = 0; i < chat.ids.size(); ++i)
      if (chat.assistant[i]) ids.push_back(chat.ids[i]);
    return tokenizer_->decode(ids, SpecialTokens::add);
  }
  static std::string error_of(const std::function<void()>& body) {
    try {
      body();
    } catch (const Error& error) {
      return std::string(error.what()) + " | " + error.hint();
    }
    ADD_FAILURE() << "no error";
    return {};
  }

  const TempDir temp_;
  const fs::path dir_ = temp_.path();
  std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_F(Chats, SolarGivesTransformersIdsAndAssistantMask) {
  const auto solar = format("solar");
  std::map<std::string, std::vector<Message>> cases;
  int refused = 0;
  read_jsonl(kFixture / "cases.jsonl", [&](const Json& row, int64_t) {
    cases[row["name"].get<std::string>()] = messages_of(row);
    if (!row.contains("error")) return;
    EXPECT_THROW(solar.encode(messages_of(row)), Error);
    ++refused;
  });
  EXPECT_EQ(refused, 4);
  int checked = 0;
  read_jsonl(kFixture / "masks.jsonl", [&](const Json& row, int64_t) {
    const auto name = row["name"].get<std::string>();
    const auto chat = solar.encode(cases.at(name));
    EXPECT_EQ(chat.ids, row["ids"].get<std::vector<TokenId>>()) << name;
    EXPECT_EQ(chat.assistant, row["assistant_masks"].get<std::vector<uint8_t>>()) << name;
    ++checked;
  });
  EXPECT_EQ(checked, 11);
}

TEST_F(Chats, AnAnswerIsWhatFollowsTheGenerationPrompt) {
  const auto ids = format("solar").encode_answers({{"user", "hi"}}, {"yes", "no"});
  EXPECT_EQ(tokenizer_->decode(ids.prompt), "### User:\nhi\n\n### Assistant:\n");
  EXPECT_EQ(tokenizer_->decode(ids.answers[0], SpecialTokens::add), "yes</s>");
  EXPECT_EQ(tokenizer_->decode(ids.answers[1], SpecialTokens::add), "no</s>");
  // Without marks all that the template writes after it belongs to it, as TRL counts.
  const auto plain = format_of(
      "{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>!{% endfor %}"
      "{% if add_generation_prompt %}<assistant>{% endif %}");
  const auto more = plain.encode_answers({{"user", "hi"}}, {"yes"});
  EXPECT_EQ(tokenizer_->decode(more.answers[0], SpecialTokens::add), "yes</s>!");
  EXPECT_EQ(said(plain.encode(
                {{"user", "q"}, {"assistant", "one"}, {"user", "r"}, {"assistant", "two"}})),
            "one</s>!two</s>!");
}

TEST_F(Chats, AnEndOfTextAfterTheConversationIsTheLastAnswers) {
  const auto format = format_of(
      "{% for m in messages %}<{{ m.role }}>{{ m.content }};{% endfor %}"
      "{% if add_generation_prompt %}<assistant>{% else %}{{ eos_token }}{% endif %}");
  EXPECT_EQ(
      said(format.encode({{"user", "q"}, {"assistant", "a"}, {"user", "r"}, {"assistant", "b"}})),
      "a;b;</s>");
}

TEST_F(Chats, PlainTextsStandAsTheyAreAndEnd) {
  const auto ids = format("solar").encode_plain("Q: a\nA:", {" b", " c</s>"});
  EXPECT_EQ(tokenizer_->decode(ids.prompt), "Q: a\nA:");
  EXPECT_EQ(tokenizer_->decode(ids.answers[0], SpecialTokens::add), " b</s>");
  EXPECT_EQ(tokenizer_->decode(ids.answers[1], SpecialTokens::add), " c</s>");
}

TEST_F(Chats, ATemplateThatRewritesEarlierTurnsIsRefused) {
  const std::vector<Message> two{
      {"user", "q"}, {"assistant", "a"}, {"user", "r"}, {"assistant", "b"}};
  const auto rewrites = format_of(
      "{% for m in messages %}<{{ m.role }}>{{ m.content if loop.last or m.role == 'user' else '' "
      "}}"
      "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}");
  EXPECT_EQ(said(rewrites.encode({two.begin(), two.begin() + 2})), "a") << "one turn is told apart";
  EXPECT_NE(error_of([&] { rewrites.encode(two); }).find("{% endgeneration %}"), std::string::npos);
  const auto other = format_of(
      "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
      "{% if add_generation_prompt %}[assistant]{% endif %}");
  EXPECT_NE(error_of([&] { other.encode(two); }).find("generation prompt"), std::string::npos);
  EXPECT_EQ(tokenizer_->decode(other.encode_answers({{"user", "q"}}, {"a"}).answers[0]),
            "<assistant>a")
      << "TRL: from where they differ";
}

TEST_F(Chats, WhichTemplateIsUsed) {
  EXPECT_NE(error_of([&] { format("auto"); }).find("--chat-template solar"), std::string::npos);
  EXPECT_NE(error_of([&] { format("chatml"); }).find("<|im_start|>"), std::string::npos);
  EXPECT_NE(error_of([&] { format("missing.jinja"); }).find("missing.jinja"), std::string::npos);
  write_file_atomic(dir_ / "chat_template.jinja",
                    "{% for m in messages %}{{ m.content }}{% endfor %}");
  EXPECT_EQ(format("auto").name(), "own");
  EXPECT_EQ(tokenizer_->decode(format("auto").encode({{"user", "x"}}).ids), "x");
  Json json = load_json(dir_ / "tokenizer.json");
  for (const auto& [token, id] :
       std::vector<std::pair<std::string, int>>{{"<|im_start|>", 259}, {"<|im_end|>", 260}}) {
    Json added = json["added_tokens"][0];
    added["content"] = token;
    added["id"] = id;
    json["added_tokens"].push_back(added);
  }
  tokenizer_ = parse_tokenizer(json.dump(), "test");
  const auto chat = format("chatml").encode({{"user", "x"}, {"assistant", "y"}});
  EXPECT_EQ(tokenizer_->decode(chat.ids, SpecialTokens::add),
            "<|im_start|>user\nx<|im_end|>\n<|im_start|>assistant\ny<|im_end|>\n");
  EXPECT_EQ(said(chat), "y<|im_end|>");
}

// Recorded by tools/record/chat_ids.py.
TEST(ChatIds, AreTransformersAndTrls) {
  const fs::path dir = fs::path(HELIO_SOURCE_DIR) / "tests/fixtures/chat_ids";
  const auto tokenizer = load_tokenizer(dir);
  const Json templates = load_json(dir / "templates.json"),
             special = load_json(dir / "special.json");
  const auto format = [&](const std::string& name) {
    return ChatFormat(templates.at(name), name, special.get<std::map<std::string, std::string>>(),
                      *tokenizer);
  };
  int masks = 0, pairs = 0;
  read_jsonl(dir / "masks.jsonl", [&](const Json& row, int64_t line) {
    const auto chat = format(row["template"]).encode(messages_of(row));
    EXPECT_EQ(chat.ids, row["ids"].get<std::vector<TokenId>>()) << line;
    EXPECT_EQ(chat.assistant, row["mask"].get<std::vector<uint8_t>>()) << line;
    ++masks;
  });
  read_jsonl(dir / "pairs.jsonl", [&](const Json& row, int64_t line) {
    const std::string name = row["template"];
    const bool plain = name.empty();
    const auto chat = format(plain ? "unmarked" : name);
    std::vector<Message> prompt;
    for (const auto& message : row["prompt"])
      prompt.push_back({message["role"], message["content"]});
    const auto ids = plain ? chat.encode_plain(prompt[0].content, {row["chosen"], row["rejected"]})
                           : chat.encode_answers(prompt, {row["chosen"], row["rejected"]});
    EXPECT_EQ(ids.prompt, row["prompt_ids"].get<std::vector<TokenId>>()) << line;
    EXPECT_EQ(ids.answers[0], row["chosen_ids"].get<std::vector<TokenId>>()) << line;
    EXPECT_EQ(ids.answers[1], row["rejected_ids"].get<std::vector<TokenId>>()) << line;
    ++pairs;
  });
  EXPECT_EQ(masks, 7);
  EXPECT_EQ(pairs, 11);
}

// With merges: a token that has the answer's first character is the assistant's.
TEST(SolarChat, MaskedTokensAreTheAnswerAndItsEnd) {
  const auto tokenizer =
      load_tokenizer(fs::path(HELIO_SOURCE_DIR) / "tests/fixtures/bpe/split/tokenizer.json");
  const ChatFormat solar(solar_template_jinja(), "solar", {{"eos_token", "<|endoftext|>"}},
                         *tokenizer);
  const auto chat = solar.encode({{"user", "안녕?"}, {"assistant", "네, 안녕하세요."}});
  std::vector<TokenId> said;
  for (size_t i = 0; i < chat.ids.size(); ++i)
    if (chat.assistant[i]) said.push_back(chat.ids[i]);
  EXPECT_EQ(tokenizer->decode(said, SpecialTokens::add), "네, 안녕하세요.<|endoftext|>");
}

// A normalizer changes the text; places count in what was given.
TEST(SolarChat, MasksUnderANormalizerToo) {
  Json json = load_json(kFixture / "tokenizer.json");
  json["normalizer"] = {{"type", "NFC"}};
  const auto tokenizer = parse_tokenizer(json.dump(), "test");
  const ChatFormat solar(solar_template_jinja(), "solar", {{"eos_token", "</s>"}}, *tokenizer);
  const auto chat = solar.encode({{"user", "a"}, {"assistant", "e\u0301!"}});
  std::vector<TokenId> said;
  for (size_t i = 0; i < chat.ids.size(); ++i)
    if (chat.assistant[i]) said.push_back(chat.ids[i]);
  EXPECT_EQ(tokenizer->decode(said, SpecialTokens::add), "\u00E9!</s>");
}

}  // namespace
}  // namespace helio::text
