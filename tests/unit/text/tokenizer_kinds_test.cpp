// Kinds of tokenizers beyond byte-level BPE; that ids are HF's is tests/peers' to check.
#include <gtest/gtest.h>

#include <chrono>

#include "../../fuzz/tokenizer_fuzz.h"
#include "../support/mutate.h"
#include "core/json.h"

namespace helio::text {
namespace {

using fuzz::Outcome;

Json whole(Json model) {
  return {{"version", "1.0"},         {"added_tokens", Json::array()}, {"normalizer", nullptr},
          {"pre_tokenizer", nullptr}, {"post_processor", nullptr},     {"decoder", nullptr},
          {"model", std::move(model)}};
}

// As Llama 2: no pre-tokenizer, bytes for unknown characters.
Json llama() {
  Json vocab = {{"<unk>", 0}};
  for (int byte = 0; byte < 256; ++byte) {
    char name[8];
    std::snprintf(name, sizeof(name), "<0x%02X>", static_cast<unsigned>(byte));
    vocab[name] = 1 + byte;
  }
  int id = 257;
  for (const char* token : {"▁", "a", "b", "ab", "▁a", "▁ab", "▁▁", "abab", "aa"})
    vocab[token] = id++;
  Json json = whole({{"type", "BPE"},
                     {"unk_token", "<unk>"},
                     {"fuse_unk", true},
                     {"byte_fallback", true},
                     {"vocab", vocab},
                     {"merges", {"a b", "▁ a", "▁ ab", "▁a b", "▁ ▁", "ab ab", "a a"}}});
  json["normalizer"] = {
      {"type", "Sequence"},
      {"normalizers",
       {{{"type", "Prepend"}, {"prepend", "▁"}},
        {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "▁"}}}}};
  json["decoder"] = {{"type", "Sequence"},
                     {"decoders",
                      {{{"type", "Replace"}, {"pattern", {{"String", "▁"}}}, {"content", " "}},
                       {{"type", "ByteFallback"}},
                       {{"type", "Fuse"}},
                       {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}}}};
  return json;
}

// A double array with one entry, A, whose text is a.
std::string charsmap() {
  std::vector<uint32_t> units(257, 0);
  units['A'] = 'A' | (1u << 8) | (('A' ^ 256u) << 10);  // a leaf, at unit 256: text 0
  std::string bytes;
  const auto put = [&](uint32_t value) {
    for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<char>((value >> (8 * i)) & 0xFF));
  };
  put(static_cast<uint32_t>(4 * units.size()));
  for (const uint32_t unit : units) put(unit);
  bytes += std::string("a\0", 2);
  while (bytes.size() % 3 != 0) bytes.push_back('\0');
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t bits = 0;
    for (size_t j = 0; j < 3; ++j) bits = (bits << 8) | static_cast<uint8_t>(bytes[i + j]);
    for (int shift = 18; shift >= 0; shift -= 6)
      out +=
          "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[(bits >> shift) & 63];
  }
  return out;
}

// As T5: a charsmap (one entry: A becomes a), Metaspace, Unigram.
Json unigram() {
  Json vocab = Json::array();
  for (const auto& [token, score] :
       {std::pair{"<unk>", 0.0}, std::pair{"▁", -2.0}, std::pair{"a", -2.5}, std::pair{"b", -3.0},
        std::pair{"ab", -3.5}, std::pair{"▁ab", -4.0}})
    vocab.push_back(Json::array({token, score}));
  Json json = whole({{"type", "Unigram"}, {"unk_id", 0}, {"vocab", vocab}});
  json["normalizer"] = {{"type", "Precompiled"}, {"precompiled_charsmap", charsmap()}};
  json["pre_tokenizer"] = {
      {"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "first"}};
  json["decoder"] = {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "first"}};
  json["post_processor"] = {{"type", "RobertaProcessing"},
                            {"sep", Json::array({"b", 3})},
                            {"cls", Json::array({"a", 2})}};
  return json;
}

Json bert() {
  Json json = whole(
      {{"type", "WordPiece"},
       {"unk_token", "[UNK]"},
       {"continuing_subword_prefix", "##"},
       {"max_input_chars_per_word", 20},
       {"vocab", {{"[UNK]", 0}, {"play", 1}, {"##ing", 2}, {"##i", 3}, {".", 4}, {"漢", 5}}}});
  json["normalizer"] = {{"type", "BertNormalizer"}, {"lowercase", true}};
  json["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
  json["decoder"] = {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}};
  return json;
}

std::unique_ptr<Tokenizer> made(const Json& json) { return parse_tokenizer(json.dump(), "test"); }

TEST(TokenizerKinds, LongTextsWithoutCutsTakeLinearTime) {
  const auto tokenizer = made(llama());
  const auto seconds = [&](size_t size) {
    const std::string text(size, 'a');  // one word, and merges everywhere
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_GT(tokenizer->encode(text).size(), size / 8);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  seconds(1 << 16);
  const double small = seconds(1 << 18), large = seconds(1 << 22);
  EXPECT_LT(large, 16 * 8 * small + 0.5);  // quadratic time would be 256 times as long
}

TEST(TokenizerKinds, CutsBetweenWordsDoNotChangeIds) {
  const auto tokenizer = made(llama());
  const std::vector<std::string> words = {"ab",   "a",  " ",  "  ab", "b",
                                          "abab", "한", "\n", "▁",    "aa "};
  Rng rng(5);
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (int i = 0; i < 30; ++i) text += words[rng.below(words.size())];
    // With offsets the text is merged as a whole.
    EXPECT_EQ(tokenizer->encode(text), tokenizer->encode_with_offsets(text).ids) << text;
  }
}

TEST(TokenizerKinds, OffsetsCountCharactersAndBytes) {
  const auto encoding = made(llama())->encode_with_offsets("ab 한b");
  // ▁ab | ▁ | three bytes of 한 | b; each byte stands for what HF says it does.
  ASSERT_EQ(encoding.ids.size(), 6u);
  EXPECT_EQ(encoding.characters[0], (Offset{0, 2}));
  EXPECT_EQ(encoding.characters[1], (Offset{2, 3}));
  for (size_t i = 2; i < 5; ++i) EXPECT_EQ(encoding.bytes[i], (Offset{3, 6}));
  EXPECT_EQ(encoding.characters[5], (Offset{4, 5}));
  EXPECT_EQ(encoding.bytes[5], (Offset{6, 7}));
}

TEST(TokenizerKinds, AStreamNeverCutsCharactersAndGivesTheWholeText) {
  for (const Json& json : {llama(), unigram(), bert()}) {
    const auto tokenizer = made(json);
    Rng rng(7);
    int equal = 0;
    for (int round = 0; round < 300; ++round) {
      std::vector<TokenId> ids;
      for (int i = 0; i < 20; ++i)
        ids.push_back(
            static_cast<TokenId>(rng.below(static_cast<uint64_t>(tokenizer->vocab_size()))));
      if (round % 2 == 0) ids = tokenizer->encode("ab 한국 ab漢.play");
      DecodeStream stream(*tokenizer);
      std::string text;
      for (const TokenId id : ids) {
        const std::string part = stream.step(id);
        EXPECT_TRUE(is_valid_utf8(part));
        text += part;
      }
      text += stream.finish();
      // A byte that breaks a run of byte tokens changes what was given out, as in HF.
      const std::string whole = tokenizer->decode(ids);
      if (round % 2 == 0 || whole.find("\uFFFD") == std::string::npos) {
        EXPECT_EQ(text, whole);
        ++equal;
      }
    }
    EXPECT_GE(equal, 150);
  }
}

TEST(TokenizerKinds, UnknownTextWithoutAnUnknownTokenIsAnError) {
  Json json = unigram();
  json["model"]["unk_id"] = nullptr;
  EXPECT_THROW(made(json)->encode("q"), Error);
  json = bert();
  json["model"]["unk_token"] = "?";
  EXPECT_THROW(made(json)->encode("q"), Error);
  EXPECT_EQ(made(json)->encode("Playing."), (std::vector<TokenId>{1, 2, 4}));
}

TEST(TokenizerKinds, CharsmapsRewrite) {
  const auto tokenizer = made(unigram());
  EXPECT_EQ(tokenizer->encode("Ab A"), tokenizer->encode("ab a"));
}

TEST(TokenizerKinds, BrokenCharsmapsAreErrors) {
  for (const char* map : {"", "AAA", "AAAA", "!!!!", "////AAAA", "CAAAAAAAAAA=", "BAAAAA=="}) {
    Json json = unigram();
    json["normalizer"]["precompiled_charsmap"] = map;
    EXPECT_EQ(fuzz::try_tokenizer(json.dump()), Outcome::refused) << map;
  }
}

constexpr std::array<std::string_view, 18> kPieces = {"{",
                                                      "}",
                                                      "[",
                                                      "]",
                                                      ",",
                                                      ":",
                                                      "null",
                                                      "true",
                                                      "-1",
                                                      "1e308",
                                                      "-1e308",
                                                      "4294967296",
                                                      "\"▁\"",
                                                      "\"\"",
                                                      "\"Sequence\"",
                                                      "\"Metaspace\"",
                                                      "\"ByteLevel\"",
                                                      "\\u0000"};

TEST(TokenizerKinds, ThousandsOfMutationsAreReadOrRefused) {
  Rng rng(20261124);
  for (const Json& json : {llama(), unigram(), bert()}) {
    const std::string text = json.dump();
    int accepted = 0, refused = 0;
    for (int round = 0; round < 2000; ++round)
      (fuzz::try_tokenizer(mutate(text, kPieces, rng, {.most_changes = 3, .longest_span = 16})) ==
               Outcome::accepted
           ? accepted
           : refused) += 1;
    EXPECT_GT(accepted, 10);
    EXPECT_GT(refused, 300);
  }
}

}  // namespace
}  // namespace helio::text
