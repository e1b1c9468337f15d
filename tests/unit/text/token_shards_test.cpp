#include "text/token_shards.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "../support/temp_dir.h"
#include "core/error.h"
#include "core/lines.h"
#include "text/token_shard_writer.h"

namespace helio::text {
namespace {

class TokenShardsTest : public testing::Test {
 protected:
  static std::string lot_of(int i) { return i % 3 == 0 ? "law" : "wiki"; }
  static std::vector<TokenId> ids_of(int i, TokenId vocab) {
    std::vector<TokenId> ids;
    for (int k = 0; k < i % 7; ++k) ids.push_back((i * 31 + k * 1009) % vocab);
    return ids;
  }
  void write(int64_t vocab, int documents = 40) {
    TokenShardWriter writer(
        dir_, {.vocab_size = vocab, .eos = 2, .tokenizer_content = "abc", .shard_tokens = 50});
    for (int i = 0; i < documents; ++i)
      writer.add({.split = i % 10 == 9 ? "heldout" : "train",
                  .lot = lot_of(i),
                  .partner = lot_of(i) + " press",
                  .language = i % 2 ? "ko" : "en"},
                 ids_of(i, static_cast<TokenId>(vocab)));
    writer.finish();
  }
  void expect_refused(const std::string& named) {
    try {
      TokenShards shards(dir_, "train");
      ADD_FAILURE() << "opened";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::invalid) << error.what();
      EXPECT_NE(std::string(error.what()).find(named), std::string::npos) << error.what();
    }
  }
  void change_json(const std::function<void(Json&)>& change) {
    Json json = load_json(dir_ / "tokens.json");
    change(json);
    std::ofstream(dir_ / "tokens.json") << json.dump();
  }

  const TempDir temp_;
  const fs::path dir_ = temp_.path();
};

TEST_F(TokenShardsTest, ReadBackWhatWasWrittenInBothWidths) {
  for (const int64_t vocab : {int64_t(1000), int64_t(100000)}) {
    SetUp();
    write(vocab);
    for (const std::string split : {"train", "heldout"}) {
      const TokenShards shards(dir_, split);
      EXPECT_EQ(shards.vocab_size(), vocab);
      EXPECT_EQ(shards.eos(), 2);
      EXPECT_EQ(shards.tokenizer_content(), "abc");
      int64_t document = 0, tokens = 0, lot_tokens = 0, last_shard = 0;
      for (int i = 0; i < 40; ++i) {
        if ((i % 10 == 9) != (split == "heldout")) continue;
        auto expected = ids_of(i, static_cast<TokenId>(vocab));
        expected.push_back(2);
        const auto& place = shards.document(document++);
        ASSERT_EQ(place.end - place.begin, expected.size());
        std::vector<int32_t> ids(expected.size());
        shards.read(place, 0, ids);
        EXPECT_EQ(ids, expected);
        if (ids.size() > 2) {
          std::vector<int32_t> middle(ids.size() - 2);
          shards.read(place, 1, middle);
          EXPECT_EQ(middle, std::vector<int32_t>(ids.begin() + 1, ids.end() - 1));
        }
        EXPECT_EQ(shards.lots()[place.lot].lot, lot_of(i));
        EXPECT_EQ(shards.lots()[place.lot].partner, lot_of(i) + " press");
        tokens += static_cast<int64_t>(expected.size());
        last_shard = place.shard;
      }
      EXPECT_EQ(shards.documents(), document);
      EXPECT_EQ(shards.tokens(), tokens);
      for (const auto& lot : shards.lots()) lot_tokens += lot.tokens;
      EXPECT_EQ(lot_tokens, tokens);
      EXPECT_EQ(last_shard > 0, split == "train");  // the cap of 50 tokens made several
    }
  }
}

TEST_F(TokenShardsTest, TokensJsonAddsUp) {
  write(1000);
  const Json json = load_json(dir_ / "tokens.json");
  EXPECT_EQ(json["dtype"], "uint16");
  int64_t lots = 0, splits = 0, shards = 0;
  for (const auto& lot : json["lots"]) lots += lot["tokens"].get<int64_t>();
  for (const auto& split : json["splits"]) splits += split["tokens"].get<int64_t>();
  for (const auto& shard : json["shards"]) {
    shards += shard["tokens"].get<int64_t>();
    EXPECT_LE(shard["tokens"].get<int64_t>(), 50);
  }
  EXPECT_EQ(lots, json["tokens"].get<int64_t>());
  EXPECT_EQ(splits, lots);
  EXPECT_EQ(shards, lots);
  EXPECT_EQ(json["lots"][0]["language"], "en+ko");
}

TEST_F(TokenShardsTest, DamageIsAnErrorThatNamesTheShard) {
  const auto bin = dir_ / "train-00000.bin", idx = dir_ / "train-00000.idx";
  write(1000);
  {
    std::fstream file(bin, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(3);
    file.put('\x01');
  }
  expect_refused("train-00000.bin");
  write(1000);
  fs::resize_file(bin, fs::file_size(bin) - 1);
  expect_refused("train-00000.bin");
  write(1000);
  fs::resize_file(idx, fs::file_size(idx) - 12);
  expect_refused("train-00000.idx");
  write(1000);
  fs::remove(bin);
  EXPECT_THROW(TokenShards(dir_, "train"), Error);
}

TEST_F(TokenShardsTest, HostileDescriptionsAreErrors) {
  const std::vector<std::function<void(Json&)>> changes{
      [](Json& j) { j["format"] = 2; },
      [](Json& j) { j["dtype"] = "float8"; },
      [](Json& j) { j["eos"] = 5000; },
      [](Json& j) { j["vocab_size"] = -1; },
      [](Json& j) { j["vocab_size"] = 10; },  // ids are beyond it
      [](Json& j) { j["shards"][2]["file"] = "../../etc/passwd"; },
      [](Json& j) { j["shards"][2]["tokens"] = 4611686018427387905ull; },
      [](Json& j) { j["shards"][2].erase("sha256"); },
      [](Json& j) { j["lots"] = Json::array(); },
      [](Json& j) { j["lots"][0] = 3; },
      [](Json& j) { j["shards"] = "none"; },
      [](Json& j) { j = Json::array(); },
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    write(1000);
    change_json(changes[i]);
    try {
      TokenShards shards(dir_, "train");
      ADD_FAILURE() << "opened after change " << i;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::invalid) << i << error.what();
    }
  }
}

TEST_F(TokenShardsTest, AMissingSplitNamesTheOnesThereAre) {
  write(1000);
  try {
    TokenShards shards(dir_, "valid");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
    EXPECT_NE(error.hint().find("heldout, train"), std::string::npos);
  }
}

TEST_F(TokenShardsTest, BuildGivesTheSameBytesForAnyNumberOfThreads) {
  const auto tokenizer =
      load_tokenizer(fs::path(HELIO_SOURCE_DIR) / "tests/fixtures/bpe/split/tokenizer.json");
  const auto dataset = dir_ / "dataset";
  fs::create_directories(dataset);
  std::vector<std::string> texts;
  read_jsonl(fs::path(HELIO_SOURCE_DIR) / "tests/fixtures/bpe/lines.jsonl",
             [&](const Json& row, int64_t) { texts.push_back(row["text"]); });
  for (int part = 0; part < 2; ++part) {
    LineWriter writer(dataset / ("part-0000" + std::to_string(part) + ".jsonl.zst"));
    for (size_t i = static_cast<size_t>(part); i < texts.size(); i += 2)
      writer.write(OrderedJson{{"id", std::to_string(i)},
                               {"text", texts[i]},
                               {"lot", lot_of(int(i))},
                               {"partner", "p"},
                               {"language", "ko"},
                               {"split", i % 20 < 2 ? "heldout" : "train"}}
                       .dump());
    writer.commit();
  }
  SilentMonitor monitor;
  StopRequest stop;
  const auto build = [&](const std::string& name, int64_t threads) {
    fs::create_directories(dir_ / name);
    build_tokens(dataset, *tokenizer, {.vocab_size = 600, .eos = 0, .tokenizer_content = "x"},
                 {.threads = threads, .shard_tokens = 500}, dir_ / name, monitor, stop);
    std::string all;
    for (const auto& file : list_files(dir_ / name))
      all += file.filename().string() + read_file(file);
    return all;
  };
  const auto one = build("one", 1), four = build("four", 4);
  EXPECT_EQ(one, four);
  const TokenShards shards(dir_ / "one", "train");
  std::vector<int32_t> ids(shards.document(0).end);
  shards.read(shards.document(0), 0, ids);
  ids.pop_back();
  EXPECT_EQ(tokenizer->decode(ids, SpecialTokens::add), texts[2]);  // texts[0] is held out
  stop.raise();
  EXPECT_THROW(build("stopped", 2), Error);
}

TEST_F(TokenShardsTest, RowsWithoutTheirFieldsAreErrorsWithTheirPlace) {
  const auto tokenizer =
      load_tokenizer(fs::path(HELIO_SOURCE_DIR) / "tests/fixtures/bpe/split/tokenizer.json");
  SilentMonitor monitor;
  StopRequest stop;
  const auto build = [&](const std::string& row) -> std::string {
    std::ofstream(dir_ / "part-00000.jsonl") << row << "\n";
    try {
      build_tokens(dir_, *tokenizer, {.vocab_size = 600}, {}, dir_, monitor, stop);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  const std::string good =
      R"({"text":"a","lot":"l","partner":"p","language":"ko","split":"train"})";
  EXPECT_EQ(build(good), "");
  EXPECT_NE(build("[1]").find("part-00000.jsonl:1"), std::string::npos);
  EXPECT_NE(build("{\"text\": 3}").find("part-00000.jsonl:1"), std::string::npos);
  EXPECT_NE(build("{\"text\": ").find("part-00000.jsonl:1"), std::string::npos);
  EXPECT_NE(
      build(R"({"text":"a","lot":"l","partner":"p","language":"ko","split":"../x"})").find("split"),
      std::string::npos);
  EXPECT_NE(
      build(good + "\n" + R"({"text":"a","lot":"l","partner":"q","language":"ko","split":"train"})")
          .find("two partners"),
      std::string::npos);
}

}  // namespace
}  // namespace helio::text
