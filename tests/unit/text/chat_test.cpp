#include "text/chat.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/json.h"
#include "core/lines.h"

namespace helio::text {
namespace {

namespace fs = std::filesystem;
const fs::path kFixture = fs::path(HELIO_SOURCE_DIR) / "tests/fixtures/chat_solar";

std::vector<Message> messages_of(const Json& row) {
  std::vector<Message> out;
  for (const auto& message : row["messages"])
    out.push_back({message["role"].get<std::string>(), message["content"].get<std::string>()});
  return out;
}

TEST(SolarChat, RendersAsTransformersDoes) {
  int rendered = 0, refused = 0;
  read_jsonl(kFixture / "cases.jsonl", [&](const Json& row, int64_t) {
    const auto prompt =
        row["add_generation_prompt"].get<bool>() ? GenerationPrompt::add : GenerationPrompt::omit;
    if (row.contains("error")) {
      EXPECT_THROW(render_solar_text(messages_of(row), "</s>", prompt), Error);
      ++refused;
    } else {
      EXPECT_EQ(render_solar_text(messages_of(row), "</s>", prompt),
                row["render"].get<std::string>());
      ++rendered;
    }
  });
  EXPECT_EQ(rendered, 22);
  EXPECT_EQ(refused, 4);
}

TEST(SolarChat, GivesTransformersIdsAndAssistantMask) {
  const auto tokenizer = load_tokenizer(kFixture / "tokenizer.json");
  std::map<std::string, std::vector<Message>> cases;
  read_jsonl(kFixture / "cases.jsonl", [&](const Json& row, int64_t) {
    cases[row["name"].get<std::string>()] = messages_of(row);
  });
  int checked = 0;
  read_jsonl(kFixture / "masks.jsonl", [&](const Json& row, int64_t) {
    const auto name = row["name"].get<std::string>();
    const auto chat =
        render_solar(cases.at(name), *tokenizer, *tokenizer->id_of("</s>"), GenerationPrompt::omit);
    EXPECT_EQ(chat.ids, row["ids"].get<std::vector<TokenId>>()) << name;
    EXPECT_EQ(chat.assistant, row["assistant_masks"].get<std::vector<uint8_t>>()) << name;
    ++checked;
  });
  EXPECT_EQ(checked, 11);
}

// With merges: a token that begins before the answer is not the assistant's.
TEST(SolarChat, MaskedTokensAreTheAnswerAndItsEnd) {
  const auto tokenizer =
      load_tokenizer(fs::path(HELIO_SOURCE_DIR) / "tests/fixtures/bpe/split/tokenizer.json");
  const std::vector<Message> messages{{"user", "안녕?"}, {"assistant", "네, 안녕하세요."}};
  const auto chat = render_solar(messages, *tokenizer, 0, GenerationPrompt::add);
  std::vector<TokenId> said;
  for (size_t i = 0; i < chat.ids.size(); ++i)
    if (chat.assistant[i]) said.push_back(chat.ids[i]);
  EXPECT_EQ(tokenizer->decode(said, SpecialTokens::add), "네, 안녕하세요.<|endoftext|>");
  EXPECT_EQ(tokenizer->decode(chat.ids, SpecialTokens::add),
            render_solar_text(messages, "<|endoftext|>", GenerationPrompt::add));
}

// A normalizer changes the text, so tokens have no places in it: the parts are encoded alone.
TEST(SolarChat, MasksUnderANormalizerToo) {
  Json json = load_json(kFixture / "tokenizer.json");
  json["normalizer"] = {{"type", "NFC"}};
  const auto tokenizer = parse_tokenizer(json.dump(), "test");
  const auto chat = render_solar({{"user", "a"}, {"assistant", "e\u0301!"}}, *tokenizer,
                                 *tokenizer->id_of("</s>"), GenerationPrompt::omit);
  std::vector<TokenId> said;
  for (size_t i = 0; i < chat.ids.size(); ++i)
    if (chat.assistant[i]) said.push_back(chat.ids[i]);
  EXPECT_EQ(tokenizer->decode(said, SpecialTokens::add), "\u00E9!</s>");
}

}  // namespace
}  // namespace helio::text
