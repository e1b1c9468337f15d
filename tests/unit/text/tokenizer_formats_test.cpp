// Tokenizers of other formats than tokenizer.json: recorded ids, and files that are wrong.
#include <gtest/gtest.h>

#include <array>
#include <bit>

#include "../../fuzz/tokenizer_fuzz.h"
#include "../support/mutate.h"
#include "core/fs.h"
#include "core/json.h"
#include "text/formats/ranks.h"
#include "text/formats/tokenizer_file.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

const fs::path kFixtures = fs::path(HELIO_SOURCE_DIR) / "tests/fixtures/tokenizer_formats";

void expect_recorded(const fs::path& file, const std::string& name) {
  const auto tokenizer = load_tokenizer(file);
  const std::string lines = read_file(kFixtures / (name + ".jsonl"));
  size_t count = 0;
  for (size_t at = 0; at < lines.size();) {
    const size_t end = lines.find('\n', at);
    const Json row = parse_json(std::string_view(lines).substr(at, end - at), name);
    at = end + 1;
    ++count;
    const auto text = row["text"].get<std::string>();
    const auto ids = row["ids"].get<std::vector<TokenId>>();
    EXPECT_EQ(tokenizer->encode(text), ids) << name << ": " << text;
    const auto placed = tokenizer->encode_with_offsets(text);
    EXPECT_EQ(placed.ids, ids) << name << ": " << text;
    for (const auto& [begin, end_at] : placed.characters)
      EXPECT_TRUE(begin <= end_at && end_at <= count_code_points(text)) << name << ": " << text;
  }
  EXPECT_GT(count, 20u);
}

TEST(TokenizerFormats, SentencePieceGivesItsLibrarysIds) {
  for (const char* name : {"unigram", "bpe", "char", "word"})
    expect_recorded(kFixtures / "sentencepiece" / (std::string(name) + ".model"), name);
}

TEST(TokenizerFormats, TekkenGivesTiktokensIdsBehindItsSpecialTokens) {
  expect_recorded(kFixtures / "tekken", "tekken");
  const auto tokenizer = load_tokenizer(kFixtures / "tekken");
  EXPECT_EQ(tokenizer->id_of("[INST]"), 3);
  EXPECT_EQ(tokenizer->id_of("<SPECIAL_7>"), 7);
  EXPECT_EQ(tokenizer->encode("[INST]a").front(), 3);
  EXPECT_EQ(load_special_ids(kFixtures / "tekken", *tokenizer).bos, 1);
}

TEST(TokenizerFormats, ControlPiecesAreSpecialTokens) {
  const auto tokenizer = load_tokenizer(kFixtures / "sentencepiece/unigram.model");
  const auto ids = tokenizer->encode("[C]a<s>");
  ASSERT_GE(ids.size(), 3u);
  EXPECT_EQ(ids.front(), tokenizer->id_of("[C]"));
  EXPECT_EQ(ids.back(), 1);
  EXPECT_EQ(tokenizer->decode(ids), "a");
  const auto roles = load_special_ids(kFixtures / "sentencepiece/unigram.model", *tokenizer);
  EXPECT_EQ(roles.bos, 1);
  EXPECT_EQ(roles.eos, 2);
  EXPECT_EQ(roles.unk, 0);
  EXPECT_EQ(roles.pad, std::nullopt);
}

TEST(TokenizerFormats, RanksNeedAnEncoding) {
  try {
    load_tokenizer(kFixtures / "tiktoken/small.tiktoken");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid);
    EXPECT_NE(error.hint().find("--encoding"), std::string::npos);
    EXPECT_NE(error.hint().find("cl100k_base"), std::string::npos);
  }
  const auto read =
      read_tokenizer_file(kFixtures / "tiktoken/small.tiktoken", {.encoding = "llama3.1"});
  const auto tokenizer = make_tokenizer(read.document);
  EXPECT_EQ(tokenizer->id_of("<|python_tag|>"), 128010);
  EXPECT_EQ(tokenizer->encode("<|eot_id|>"), (std::vector<TokenId>{128009}));
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("한국어 text\n\n x")), "한국어 text\n\n x");
}

// A SentencePiece model written by hand.
std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out += static_cast<char>(value);
}
std::string field(int number, std::string_view bytes) {
  return varint(static_cast<uint64_t>(number) << 3 | 2) + varint(bytes.size()) + std::string(bytes);
}
std::string flag(int number, uint64_t value) {
  return varint(static_cast<uint64_t>(number) << 3) + varint(value);
}
std::string piece(std::string_view text, float score, int type) {
  const auto bits = std::bit_cast<uint32_t>(score);
  std::string number = "\x15";
  for (int i = 0; i < 4; ++i) number += static_cast<char>(bits >> (8 * i));
  return field(1,
               field(1, text) + number + (type == 1 ? "" : flag(3, static_cast<uint64_t>(type))));
}
std::string small_bpe(const std::string& more = "", const std::string& trainer = flag(3, 2),
                      const std::string& normalizer = "") {
  std::string model = piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3);
  float score = -5;
  for (const char* text : {"a", "b", "c", "\u2581"}) model += piece(text, score--, 1);
  model += piece("ab", -1, 1) + piece("bc", -2, 1) + more;
  return model + field(2, trainer) + field(3, normalizer);
}
std::vector<TokenId> ids(const std::string& model, std::string_view text) {
  return make_tokenizer(parse_tokenizer_file(model, "test").document)->encode(text);
}
std::string error_of(const std::string& bytes, const std::string& encoding = "") {
  try {
    make_tokenizer(parse_tokenizer_file(bytes, "test", {.encoding = encoding}).document);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid) << error.what();
    return error.what();
  }
}

TEST(TokenizerFormats, SentencePieceWrittenByHand) {
  using Ids = std::vector<TokenId>;
  EXPECT_EQ(ids(small_bpe(), "abc"), (Ids{6, 7, 5}));
  EXPECT_EQ(ids(small_bpe(), "  abcabc  bc "), (Ids{6, 7, 5, 7, 5, 6, 8}));
  EXPECT_EQ(ids(small_bpe(), "zzab"), (Ids{6, 0, 7}));
  EXPECT_EQ(ids(small_bpe(piece("ca", -1.5, 1)), "bcab"), (Ids{6, 8, 7}));  // as the library has it
  // Equal scores: from left to right.
  EXPECT_EQ(ids(small_bpe(piece("ca", -1, 1)), "cab"), (Ids{6, 9, 4}));
  EXPECT_EQ(ids(small_bpe(piece("ca", -1, 1)), "abca"), (Ids{6, 7, 9}));
  EXPECT_EQ(ids(small_bpe(piece("bca", -2, 1)), "cbcabc"), (Ids{6, 5, 8, 7, 5}));
  // Bare: no word mark, no trimming.
  const std::string bare = flag(3, 0) + flag(4, 0);
  EXPECT_EQ(ids(small_bpe("", flag(3, 2), bare), " ab "), (Ids{6, 7, 6}));
  EXPECT_EQ(ids(small_bpe("", flag(3, 2), bare), ""), Ids{});
  // Symbols of users are never cut or merged.
  EXPECT_EQ(ids(small_bpe(piece("ca", 0, 4)), "abcab"), (Ids{6, 7, 9, 4}));
}

TEST(HostileTokenizerFormats, SentencePiece) {
  const std::pair<std::string, const char*> wrong[] = {
      {small_bpe().substr(0, 100), "says that a field has"},
      {small_bpe() + "\x0A\xFF\xFF\xFF\xFF\x0F", "says that a field has 4294967295 bytes"},
      {small_bpe() + "\x0A" + std::string(11, '\xFF'), "more than 64 bits"},
      {small_bpe() + "\x0A\x80", "ends inside a number"},
      {small_bpe() + "\x0B", "wire type 3"},
      {small_bpe() + std::string(1, '\0'), "field of number 0"},
      {small_bpe() + "\x08\x01", "'pieces' is written as another type"},
      {small_bpe(piece("", 0, 1)), "piece 9 is empty"},
      {small_bpe(piece("\xFF", 0, 1)), "piece 9 is no UTF-8"},
      {small_bpe(piece(std::string("a\0b", 3), 0, 1)), "zero byte"},
      {small_bpe(piece(std::string(9000, 'x'), 0, 1)), "9000 bytes"},
      {small_bpe(piece("x", std::numeric_limits<float>::infinity(), 1)), "no number"},
      {small_bpe(piece("x", 0, 9)), "type unknown here: 9"},
      {small_bpe(piece("x", 0, 5)), "marked as unused"},
      {small_bpe(piece("ab", 0, 1)), "is there twice"},
      {small_bpe(piece("<x>", 0, 2)), "2 unknown pieces"},
      {small_bpe(piece("<0x41>", 0, 6)), "byte_fallback is off"},
      {small_bpe(piece("<zz>", 0, 6), flag(3, 2) + flag(35, 1)), "names no byte"},
      {small_bpe("", flag(3, 2) + flag(35, 1)), "not every byte is a piece"},
      {small_bpe("", flag(3, 7)), "model_type '7'"},
      {small_bpe("", flag(3, 2) + flag(24, 1)), "treat_whitespace_as_suffix"},
      {small_bpe("", flag(3, 2), field(2, "abc")), "too short"},
      {small_bpe("", flag(3, 2), field(2, std::string(4, '\xFF') + "abcd")), "longer than the map"},
      {small_bpe() + field(5, field(2, "abcdefgh")), "denormalizer_spec"},
      {"\x0A\x00\x00\x00", "no tokenizer file"},
      {"", "no tokenizer file"}};
  for (const auto& [model, said] : wrong)
    EXPECT_NE(error_of(model).find(said), std::string::npos) << said << ": " << error_of(model);
}

std::string all_bytes(int count = 256) {
  std::string lines;
  for (int byte = 0; byte < count; ++byte) {
    const char c = static_cast<char>(byte);
    std::string token;
    constexpr const char* kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const auto value = static_cast<uint8_t>(c);
    token += kDigits[value >> 2];
    token += kDigits[(value & 3) << 4];
    lines += token + "== " + std::to_string(byte) + "\n";
  }
  return lines;
}

TEST(HostileTokenizerFormats, Tiktoken) {
  EXPECT_EQ(error_of(all_bytes(), "qwen"), "");
  const std::pair<std::string, const char*> wrong[] = {
      {all_bytes(255), "byte 255 is no token"},
      {all_bytes() + "IQ== 256\n", "is there twice"},
      {all_bytes() + "ISE= 255\n", "have the same id 255"},
      {all_bytes() + "ISE= 151643\n", "have the same id 151643"},
      {all_bytes() + "ISE= -1\n", "line 257 is no token"},
      {all_bytes() + "ISE=\n", "line 257 is no token"},
      {all_bytes() + "ISE= 99999999\n", "too large"},
      {all_bytes() + "ISE= 99999999999999999999\n", "line 257 is no token"},
      {all_bytes() + "I!E= 256\n", "no base64"},
      {all_bytes() + "ISE 256\n", "no base64"},
      {all_bytes() + " 256\n", "line 257 is no token"},
      {all_bytes() + "PHxlbmRvZnRleHR8Pg== 256\n", "is a token and a special token"}};
  for (const auto& [lines, said] : wrong)
    EXPECT_NE(error_of(lines, "qwen").find(said), std::string::npos)
        << said << ": " << error_of(lines, "qwen");
  EXPECT_NE(error_of(all_bytes(), "gpt9").find("no encoding"), std::string::npos);
}

TEST(HostileTokenizerFormats, Tekken) {
  const Json good = load_json(kFixtures / "tekken/tekken.json");
  const std::tuple<const char*, Json, const char*> wrong[] = {
      {"/vocab", 3, "'vocab' must be a list"},
      {"/vocab/0/rank", 1, "0, 1, 2"},
      {"/vocab/0/token_bytes", "!!!!", "no base64"},
      {"/vocab/1/token_bytes", "AA==", "is there twice"},
      {"/vocab/1/token_bytes", "", "is empty"},
      {"/vocab/1/token_bytes", 3, "must be a text"},
      {"/config/pattern", "(", "parenthesis"},
      {"/config/default_vocab_size", 4294967295u, "no token id"},
      {"/config/default_vocab_size", 3, "does not fit"},
      {"/config/default_num_special_tokens", 2, "more special tokens"},
      {"/config/default_num_special_tokens", 2'000'000, "does not fit"},
      {"/special_tokens/0/rank", 3, "ranks of special tokens"},
      {"/special_tokens/0/token_str", "[INST]", "is a token and a special token"},
      {"/special_tokens", "none", "must be a list"}};
  for (const auto& [pointer, value, said] : wrong) {
    Json json = good;
    json[Json::json_pointer(pointer)] = value;
    const std::string heard = error_of(json.dump());
    EXPECT_NE(heard.find(said), std::string::npos) << pointer << " said: " << heard;
  }
}

TEST(HostileTokenizerFormats, MutationsAreRefusedOrWork) {
  const std::array<std::string_view, 12> pieces = {
      "\x0A",   "\x12\x05", "\x80\x80", "\xFF\xFF\xFF\x7F", "\x15",   "\x18\x04",
      "\u2581", "a",        "== 1\n",   "\"rank\": 7",      "<0x41>", "\x18\x06"};
  struct Seed {
    fs::path file;
    std::string encoding = {};
  };
  const Seed seeds[] = {{kFixtures / "sentencepiece/unigram.model"},
                        {kFixtures / "sentencepiece/bpe.model"},
                        {kFixtures / "sentencepiece/word.model"},
                        {kFixtures / "tiktoken/small.tiktoken", "llama3"},
                        {kFixtures / "tekken/tekken.json"}};
  Rng rng(5);
  size_t accepted = 0, tried = 0;
  for (const auto& seed : seeds) {
    const std::string bytes = read_file(seed.file);
    for (int i = 0; i < 150; ++i, ++tried)
      accepted += fuzz::try_format(mutate(bytes, pieces, rng, {.most_changes = 2}),
                                   seed.encoding) == fuzz::Outcome::accepted;
  }
  EXPECT_GT(accepted, 10u);
  EXPECT_LT(accepted, tried);
}

}  // namespace
}  // namespace helio::text
