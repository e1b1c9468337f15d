#include "text/extend_tokenizer.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>

#include "../../fuzz/extend_fuzz.h"
#include "../support/mutate.h"
#include "../support/temp_dir.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/json.h"
#include "text/train/json_splice.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

const fs::path kFixtures = fs::path(HELIO_SOURCE_DIR) / "tests/fixtures/bpe";
const std::string kKorean =
    "도서관은 아침 아홉 시에 문을 연다. 도서관 앞에는 벌써 몇 사람이 줄을 서 있었다. 아침 도서관은 "
    "조용하다.";

CountedWords count(const TokenizerExtender& extender, const std::vector<std::string>& texts) {
  CountedWords counted;
  for (const auto& text : texts)
    extender.cutter().cut(text, [&](std::string_view word) { counted.table.add(word); });
  counted.words = static_cast<int64_t>(counted.table.size());
  return counted;
}

ExtendedTokenizer extend(const fs::path& base, const std::vector<std::string>& texts,
                         const ExtendOptions& options) {
  const TokenizerExtender extender(base);
  SilentMonitor monitor;
  return extender.extend(count(extender, texts), options, monitor, StopRequest());
}

std::vector<TokenId> in_old_pieces(const std::vector<TokenId>& ids, const ExtendedTokenizer& made) {
  std::vector<TokenId> out;
  for (const TokenId id : ids) {
    if (id < made.base_vocab_size) {
      out.push_back(id);
      continue;
    }
    const auto& pieces = made.tokens.at(static_cast<size_t>(id - made.base_vocab_size)).pieces;
    out.insert(out.end(), pieces.begin(), pieces.end());
  }
  return out;
}

TEST(ExtendTokenizer, OldIdsStayAndNewTokensStandForOldPieces) {
  const fs::path file = kFixtures / "split/tokenizer.json";
  const auto base = load_tokenizer(file);
  const auto made = extend(file, {kKorean, kKorean}, {.add = 50});
  ASSERT_EQ(made.tokens.size(), 50u);
  EXPECT_EQ(made.base_vocab_size, base->vocab_size());
  EXPECT_LT(made.tokens_after, made.tokens_before);
  const auto tokenizer = parse_tokenizer(made.json, "extended");
  EXPECT_EQ(tokenizer->vocab_size(), base->vocab_size() + 50);
  for (TokenId id = 0; id < base->vocab_size(); ++id)
    EXPECT_EQ(tokenizer->token_bytes(id), base->token_bytes(id));
  for (const std::string& text :
       {kKorean, std::string("The quick brown fox 12 <|user|> 도서관은 x"), std::string("뷁")}) {
    const auto ids = tokenizer->encode(text);
    EXPECT_EQ(in_old_pieces(ids, made), base->encode(text));
    EXPECT_EQ(tokenizer->decode(ids, SpecialTokens::add),
              base->decode(base->encode(text), SpecialTokens::add));
  }
  EXPECT_LT(tokenizer->encode(kKorean).size(), base->encode(kKorean).size());
  EXPECT_EQ(tokenizer->encode("def f(x): return 1"), base->encode("def f(x): return 1"));
  const Json listed = parse_json(extension_json(made), "extension.json");
  EXPECT_EQ(listed["base_vocab_size"], base->vocab_size());
  EXPECT_EQ(listed["new_tokens"].size(), 50u);
  EXPECT_EQ(listed["new_tokens"][0]["id"], base->vocab_size());
}

TEST(ExtendTokenizer, FiltersHold) {
  const fs::path file = kFixtures / "split/tokenizer.json";
  const std::string mixed = kKorean + " library library 12,12,12 문abc문abc문abc";
  const auto hangul = extend(file, {mixed, mixed},
                             {.add = 1000, .min_frequency = 4, .letters = TokenLetters::hangul});
  const auto tokenizer = parse_tokenizer(hangul.json, "extended");
  ASSERT_FALSE(hangul.tokens.empty());
  for (const auto& token : hangul.tokens) {
    EXPECT_TRUE(is_hangul_token(tokenizer->token_bytes(token.id))) << token.token;
    EXPECT_GE(token.count, 4);
  }
  const auto brief = extend(file, {mixed, mixed}, {.add = 1000, .max_token_length = 2});
  const auto with_brief = parse_tokenizer(brief.json, "extended");
  for (const auto& token : brief.tokens)
    EXPECT_LE(count_code_points(with_brief->token_bytes(token.id)), 2);
}

TEST(ExtendTokenizer, OneThatNothingIsAddedToStaysAsItIs) {
  const fs::path file = kFixtures / "split/tokenizer.json";
  const auto made = extend(file, {"q"}, {.add = 10});
  EXPECT_TRUE(made.tokens.empty());
  EXPECT_EQ(made.json, read_file(file));
}

TEST(ExtendTokenizer, OtherModelsAreRefused) {
  const TempDir temp;
  const fs::path file = temp.path() / "tokenizer.json";
  write_file_atomic(file,
                    R"({"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}})");
  EXPECT_THROW(TokenizerExtender{file}, Error);
  write_file_atomic(file, R"({"model": {"type": "BPE", "vocab": {"a</w>": 0}, "merges": [],
                              "end_of_word_suffix": "</w>"}})");
  EXPECT_THROW(TokenizerExtender{file}, Error);
}

TEST(ExtendTokenizer, CharactersThatByteFallbackSpelledBecomeTokens) {
  const TempDir temp;
  const fs::path file = temp.path() / "tokenizer.json";
  OrderedJson vocabulary = {{"<unk>", 0}, {"▁", 1}, {"a", 2}};
  for (int byte = 0; byte < 256; ++byte) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", byte);
    vocabulary[name] = 3 + byte;
  }
  const OrderedJson json = {
      {"pre_tokenizer",
       {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "always"}}},
      {"decoder",
       {{"type", "Sequence"},
        {"decoders", OrderedJson::array(
                         {{{"type", "Replace"}, {"pattern", {{"String", "▁"}}}, {"content", " "}},
                          {{"type", "ByteFallback"}},
                          {{"type", "Fuse"}}})}}},
      {"model",
       {{"type", "BPE"},
        {"unk_token", "<unk>"},
        {"byte_fallback", true},
        {"vocab", vocabulary},
        {"merges", OrderedJson::array()}}}};
  write_file_atomic(file, pretty(json));
  const auto made = extend(file, {"한국 한국 한국 a", "한a"}, {.add = 4});
  ASSERT_EQ(made.tokens.size(), 4u);
  EXPECT_EQ(made.tokens[0].token, "한");  // four times, as often as "▁한"
  EXPECT_EQ(made.tokens[0].pieces, (std::vector<TokenId>{3 + 0xED, 3 + 0x95, 3 + 0x9C}));
  EXPECT_EQ(made.tokens[1].token, "▁한");
  EXPECT_EQ(made.tokens[2].token, "국");
  EXPECT_EQ(made.tokens[3].token, "▁한국");
  EXPECT_EQ(made.tokens[3].pieces.size(), 7u);
  const auto tokenizer = parse_tokenizer(made.json, "extended");
  EXPECT_EQ(tokenizer->encode("한국").size(), 1u);
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("한국 국a 문")), " 한국 국a 문");
}

TEST(ExtendTokenizer, ThousandsOfMutationsAreExtendedOrRefused) {
  constexpr std::array<std::string_view, 12> kPieces = {
      "\"", "}", "]", ",", "-1", "300000", "null", "\"lo\"", "\"<s>\"", "\"model\":", "[", "0.5"};
  const std::vector<std::string> bases = {
      R"({"added_tokens": [{"id": 6, "content": "<s>", "special": true}],
          "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
          "decoder": {"type": "ByteLevel"},
          "model": {"type": "BPE", "unk_token": "o", "vocab": {"l": 0, "o": 1, "lo": 2, "Ġ": 3,
          "ķ": 4, "Ń": 5}, "merges": ["l o"]}})",
      R"({"pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first"},
          "model": {"type": "BPE", "unk_token": "<unk>", "byte_fallback": true,
          "vocab": {"<unk>": 0, "▁": 1, "l": 2, "o": 3, "lo": 4, "<0x31>": 5},
          "merges": [["l", "o"]]}})",
      R"({"added_tokens": [{"id": 4, "content": "<s>", "special": true}],
          "pre_tokenizer": {"type": "Metaspace", "replacement": "▁"},
          "model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0], ["▁", -2.5],
          ["l", -3], ["o", -3.25]]}})"};
  for (const auto& base : bases) ASSERT_EQ(fuzz::try_extend(base), fuzz::Extended::added);
  Rng rng(20261127);
  std::array<int, 3> outcomes = {};
  for (size_t round = 0; round < 3000; ++round) {
    const auto json =
        mutate(bases[round % bases.size()], kPieces, rng, {.most_changes = 3, .longest_span = 16});
    ++outcomes[static_cast<size_t>(fuzz::try_extend(json))];
  }
  EXPECT_GT(outcomes[size_t(fuzz::Extended::added)], 100);
  EXPECT_GT(outcomes[size_t(fuzz::Extended::refused)], 1000);
}

TEST(IsHangulToken, AllowsWhatCanBecomeHangul) {
  for (const char* yes : {"한", " 한국", "\u2581한", "ㅋㅋ", "한\xEA", "한\xED\x95", "\xED",
                          " \xEA\xB0", "\xE1\x84", "\xE3\x84"})
    EXPECT_TRUE(is_hangul_token(yes)) << yes;
  for (const char* no : {"", " ", "a", "한a", "한 ", "  한", "\x95\x9C", "\xE4", "\xE6\x96",
                         "\xED\xA0", "文", "한.", "\xF0\x9F"})
    EXPECT_FALSE(is_hangul_token(no)) << no;
}

TEST(JsonSplice, AddsElementsAndLeavesTheRest) {
  const std::string json = R"({ "a\u0062" : {"x": "]}\"", "y" : [1, [2]]}, "z":3 , "e": { } })";
  const auto span = find_json_value(json, {"ab", "y"});
  EXPECT_EQ(json.substr(span.begin, span.end - span.begin), "[1, [2]]");
  const auto number = find_json_value(json, {"z"});
  EXPECT_EQ(json.substr(number.begin, number.end - number.begin), "3");
  EXPECT_THROW(find_json_value(json, {"ab", "none"}), Error);
  EXPECT_THROW(find_json_value(json, {"z", "none"}), Error);
  EXPECT_EQ(with_elements("[1,2]", {"3", "4"}), "[1,2,3,4]");
  EXPECT_EQ(with_elements("[\n  1,\n  2\n]", {"3"}), "[\n  1,\n  2,\n  3\n]");
  EXPECT_EQ(with_elements("[]", {"3", "4"}), "[3,4]");
  EXPECT_EQ(with_elements("{ }", {"\"a\": 1"}), "{\"a\": 1 }");
}

}  // namespace
}  // namespace helio::text
