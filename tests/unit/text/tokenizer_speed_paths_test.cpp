// The ways that are there for speed give what the plain ones give: syllables beside bytes, the fast
// reader beside the one that knows all of JSON, and streams with long runs of special tokens.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>

#include "../support/mutate.h"
#include "core/error.h"
#include "core/json.h"
#include "text/formats/tokenizer_file.h"
#include "text/tokenizer.h"
#include "text/tokenizer/byte_letters.h"
#include "text/tokenizer/fast_json.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

const std::vector<std::string> kCharacters = {"가", "각", "갂", "나", "다", "니", "한",
                                              "힣", " ",  "a",  "(",  "가", "다", "漢"};

std::string random_word(Rng& rng, size_t most) {
  std::string word = rng.below(2) == 0 ? " " : "";
  for (size_t n = 1 + rng.below(most); n > 0; --n)
    word += kCharacters[rng.below(kCharacters.size())];
  return word;
}

// A byte-level BPE whose merges join neighbours of random words in random order, over the borders
// of characters as well as inside of them.
Json random_bpe(Rng& rng) {
  Json vocab = Json::object();
  for (int byte = 0; byte < 256; ++byte)
    vocab[to_byte_letters(std::string(1, static_cast<char>(byte)))] = byte;
  Json merges = Json::array();
  std::set<std::pair<std::string, std::string>> known;
  const size_t wanted = 20 + rng.below(150);
  for (int tries = 0; merges.size() < wanted && tries < 2000; ++tries) {
    std::vector<std::string> parts;
    for (const char byte : random_word(rng, 4))
      parts.push_back(to_byte_letters(std::string(1, byte)));
    for (int i = 0; i < 12 && parts.size() > 1; ++i) {
      const size_t at = rng.below(parts.size() - 1);
      const std::string both = parts[at] + parts[at + 1];
      if (known.insert({parts[at], parts[at + 1]}).second) {
        merges.push_back({parts[at], parts[at + 1]});
        vocab.emplace(both, vocab.size());
      }
      parts[at] = both;
      parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    }
  }
  // In the order they were found each is made of known ones; in any other order, too, they only
  // need the tokens.
  if (rng.below(2) == 0)
    for (size_t i = merges.size(); i > 1; --i) std::swap(merges[i - 1], merges[rng.below(i)]);
  const Json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", false}};
  return {{"version", "1.0"},
          {"added_tokens", Json::array()},
          {"normalizer", nullptr},
          {"pre_tokenizer", bytes},
          {"post_processor", nullptr},
          {"decoder", bytes},
          {"model",
           {{"type", "BPE"},
            {"ignore_merges", rng.below(2) == 0},
            {"vocab", vocab},
            {"merges", merges}}}};
}

// Places are found by merging bytes, without caches and without syllables.
TEST(TokenizerSpeedPaths, SyllablesGiveWhatBytesGive) {
  Rng rng(20261127);
  for (int round = 0; round < 300; ++round) {
    const auto tokenizer = parse_tokenizer(random_bpe(rng).dump(), "made");
    for (int i = 0; i < 100; ++i) {
      const std::string word = random_word(rng, 7);
      ASSERT_EQ(tokenizer->encode(word), tokenizer->encode_with_offsets(word).ids)
          << "round " << round << ": '" << word << "'";
    }
  }
}

TEST(TokenizerSpeedPaths, WordsOfManyTokensAreTheSameWhenSeenAgain) {
  Rng rng(5);
  const auto tokenizer = parse_tokenizer(random_bpe(rng).dump(), "made");
  std::string text;
  for (int i = 0; i < 3000; ++i) (text += " xyzwvutsrqponmlkjihg") += std::to_string(i % 7);
  EXPECT_EQ(tokenizer->encode(text), tokenizer->encode_with_offsets(text).ids);
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
}

TEST(TokenizerSpeedPaths, TheFastReaderReadsEveryWayToWriteTheSame) {
  Rng rng(9);
  Json json = random_bpe(rng);
  json["model"]["vocab"]["\"\\/\n\t\u0001😀"] = json["model"]["vocab"].size();
  json["added_tokens"] = {{{"id", json["model"]["vocab"].size()}, {"content", "<a>"}}};
  const auto plain = make_tokenizer(OrderedJson::parse(json.dump()));
  const std::string word = "가나다 <a> 한니다";
  for (const std::string& text :
       {json.dump(), json.dump(2), json.dump(-1, ' ', true), json.dump(3, '\t', true)}) {
    FastJson fast;
    ASSERT_TRUE(fast.read(text));
    EXPECT_EQ(fast.lists.tokens.size(), json["model"]["vocab"].size());
    EXPECT_EQ(fast.lists.merges.size(), json["model"]["merges"].size());
    const auto tokenizer = parse_tokenizer(text, "made");
    ASSERT_EQ(tokenizer->vocab_size(), plain->vocab_size());
    for (TokenId id = 0; id < plain->vocab_size(); ++id)
      EXPECT_EQ(tokenizer->token_bytes(id), plain->token_bytes(id));
    EXPECT_EQ(tokenizer->encode(word), plain->encode(word));
  }
}

TEST(TokenizerSpeedPaths, TheFastReaderLeavesTheUnusualToTheOther) {
  const std::string good =
      R"({"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}})";
  EXPECT_TRUE(FastJson().read(good));
  const auto with = [&](const std::string& what, const std::string& by) {
    std::string text = good;
    return text.replace(text.find(what), what.size(), by);
  };
  const std::string bad[] = {
      with("\"a\": 0", "\"a\": 00"),
      with("\"a\": 0", "\"a\": -0"),
      with("\"a\": 0", "\"a\": 0.0"),
      with("\"a\": 0", "\"a\": 99999999999999999999"),
      with("\"a\": 0", "\"a\" 0"),
      with("\"a\": 0,", "\"a\": 0,,"),
      with("\"ab\": 2", "\"ab\": 2,"),
      with("\"a\"", "\"\\ud800\""),
      with("\"a\"", "\"\\x\""),
      with("\"a\"", "\"\n\""),
      with("\"a\"", "\"\xff\""),
      with("\"a b\"", "\"a  b\""),
      with("\"a b\"", "\"ab\""),
      with("\"a b\"", "[\"a\"]"),
      with("\"a b\"", "[\"a\", \"b\", \"c\"]"),
      with("\"BPE\"", "\"Unigram\""),
      with("\"vocab\"", "\"merges\": [], \"vocab\""),
      with("\"vocab\"", "\"voc\\u0061b\": {\"x\": 5}, \"vocab\""),
      with("{\"model\"", "{\"model\": {}, \"model\""),
      with("{\"model\"", "{\"mod\\u0065l\": {}, \"model\""),
      with("{\"model\"", "{\"x\": [1 2], \"model\""),
      good + "}",
      good.substr(0, good.size() - 1),
  };
  for (const auto& text : bad) EXPECT_FALSE(FastJson().read(text)) << text;
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(FastJson().read(good.substr(0, size))) << size;
}

TEST(TokenizerSpeedPaths, AStreamWithManySpecialTokensGivesTheWholeText) {
  Rng rng(11);
  Json json = random_bpe(rng);
  const auto special = static_cast<TokenId>(json["model"]["vocab"].size());
  json["added_tokens"] = {
      {{"id", special}, {"content", "<pad>"}, {"special", true}, {"normalized", false}}};
  const auto tokenizer = parse_tokenizer(json.dump(), "made");
  std::vector<TokenId> ids;
  for (const TokenId id : tokenizer->encode("가나 다한 (a힣漢"))
    ids.push_back(id), ids.insert(ids.end(), 100, special);
  for (const auto with : {SpecialTokens::skip, SpecialTokens::add}) {
    DecodeStream stream(*tokenizer, with);
    std::string text;
    for (const TokenId id : ids) text += stream.step(id);
    text += stream.finish();
    EXPECT_EQ(text, tokenizer->decode(ids, with));
  }
}

}  // namespace
}  // namespace helio::text
