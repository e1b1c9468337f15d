#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "../support/temp_dir.h"
#include "core/error.h"
#include "core/json.h"
#include "core/lines.h"
#include "text/stop_ids.h"

namespace helio::text {
namespace {

namespace fs = std::filesystem;

const fs::path kFixtures = fs::path(HELIO_SOURCE_DIR) / "tests/fixtures/bpe";
const char* const kVariants[] = {"byte_level", "split", "frequency"};

std::vector<Json> rows(const fs::path& path) {
  std::vector<Json> out;
  read_jsonl(path, [&](const Json& row, int64_t) { out.push_back(row); });
  return out;
}

TEST(Tokenizer, EncodesAsHuggingFaceDoes) {
  const auto lines = rows(kFixtures / "lines.jsonl");
  ASSERT_GE(lines.size(), 200u);
  for (const auto* variant : kVariants) {
    const auto tokenizer = load_tokenizer(kFixtures / variant);
    const auto expected = rows(kFixtures / variant / "ids.jsonl");
    ASSERT_EQ(expected.size(), lines.size());
    for (size_t i = 0; i < lines.size(); ++i) {
      const auto text = lines[i]["text"].get<std::string>();
      const auto ids = tokenizer->encode(text, SpecialTokens::skip);
      EXPECT_EQ(ids, expected[i]["ids"].get<std::vector<TokenId>>()) << variant << ": " << text;
      EXPECT_EQ(tokenizer->decode(ids, SpecialTokens::add), text);
    }
  }
}

TEST(Tokenizer, DecodesAnyIdsAsHuggingFaceDoes) {
  for (const auto* variant : kVariants) {
    const auto tokenizer = load_tokenizer(kFixtures / variant);
    for (const auto& row : rows(kFixtures / variant / "decode.jsonl")) {
      const auto ids = row["ids"].get<std::vector<TokenId>>();
      EXPECT_EQ(tokenizer->decode(ids, SpecialTokens::add), row["text"].get<std::string>());
      EXPECT_EQ(tokenizer->decode(ids, SpecialTokens::skip),
                row["text_without_special"].get<std::string>());
    }
  }
}

TEST(Tokenizer, GivesTheIdsOfSmolLM2OnKoreanText) {
  const fs::path shared = "/work/shared/data/tokenizers";
  if (!fs::exists(shared)) GTEST_SKIP() << "no " << shared;
  const auto tokenizer = load_tokenizer(shared / "smollm2");
  int checked = 0;
  for (const auto& row : rows(shared / "golden/smollm2.jsonl")) {
    EXPECT_EQ(tokenizer->encode(row["text"].get<std::string>()),
              row["ids"].get<std::vector<TokenId>>())
        << row["text"];
    ++checked;
  }
  EXPECT_EQ(checked, 500);
}

TEST(Tokenizer, BrokenUtf8IsReadAsReplacementCharacters) {
  const auto tokenizer = load_tokenizer(kFixtures / "split");
  EXPECT_EQ(tokenizer->encode("a\xFF b\xE2\x82"), tokenizer->encode("a\uFFFD b\uFFFD"));
  EXPECT_TRUE(tokenizer->encode("").empty());
}

TEST(Tokenizer, KnowsItsTokens) {
  const auto tokenizer = load_tokenizer(kFixtures / "split" / "tokenizer.json");
  EXPECT_EQ(tokenizer->vocab_size(), 600);
  EXPECT_EQ(tokenizer->id_of("<|endoftext|>"), 0);
  EXPECT_EQ(tokenizer->id_of("no such token"), std::nullopt);
  EXPECT_EQ(tokenizer->token_bytes(0), "<|endoftext|>");
  EXPECT_EQ(tokenizer->token_bytes(*tokenizer->id_of("Ġ")), " ");
  EXPECT_THROW(tokenizer->token_bytes(600), Error);
  EXPECT_THROW(tokenizer->token_bytes(-1), Error);
  ASSERT_EQ(tokenizer->added_tokens().size(), 4u);
  EXPECT_TRUE(tokenizer->added_tokens()[3].special);
}

TEST(Tokenizer, GivesTheSameIdsFromManyThreadsAndWithAWarmCache) {
  const auto tokenizer = load_tokenizer(kFixtures / "split");
  const auto lines = rows(kFixtures / "lines.jsonl");
  const auto all = [&] {
    std::vector<std::vector<TokenId>> out;
    for (const auto& line : lines)
      out.push_back(tokenizer->encode(line["text"].get<std::string>()));
    return out;
  };
  const auto expected = all();
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i)
        if (all() != expected) ++wrong;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Tokenizer, LongWordsMergeAsShortOnesDo) {
  const auto tokenizer = load_tokenizer(kFixtures / "byte_level");
  // One piece of 3 MB: takes the heap, must not take for ever.
  std::string word;
  for (int i = 0; i < 1'000'000; ++i) word += "한";
  const auto ids = tokenizer->encode(word);
  EXPECT_EQ(tokenizer->decode(ids), word);
  const auto few = tokenizer->encode(word.substr(0, 60));
  EXPECT_EQ(std::vector<TokenId>(ids.begin(), ids.begin() + static_cast<long>(few.size() / 2)),
            std::vector<TokenId>(few.begin(), few.begin() + static_cast<long>(few.size() / 2)));
}

TEST(SpecialIds, ComeFromTheFilesBesideTheTokenizer) {
  const TempDir temp;
  const fs::path& dir = temp.path();
  const auto tokenizer = load_tokenizer(kFixtures / "split");
  std::ofstream(dir / "tokenizer_config.json")
      << R"({"eos_token": {"content": "<|endoftext|>"}, "bos_token": null, "pad_token": "nowhere"})";
  std::ofstream(dir / "generation_config.json")
      << R"({"eos_token_id": [9, 8], "bos_token_id": 1, "pad_token_id": 99999})";
  std::ofstream(dir / "config.json") << R"({"pad_token_id": 2})";
  const auto ids = load_special_ids(dir, *tokenizer);
  EXPECT_EQ(ids.eos, 0);
  EXPECT_EQ(ids.bos, 1);
  EXPECT_EQ(ids.pad, 2);
  EXPECT_EQ(ids.unk, std::nullopt);
  EXPECT_EQ(load_stop_ids(dir, *tokenizer), (std::vector<TokenId>{9, 8, 0}));
  std::ofstream(dir / "generation_config.json") << R"({"eos_token_id": 0, "pad_token_id": 99999})";
  EXPECT_EQ(load_stop_ids(dir, *tokenizer), std::vector<TokenId>{0});
}

}  // namespace
}  // namespace helio::text
