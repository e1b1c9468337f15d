// Files that are wrong, by accident or on purpose: an error that says what, never a crash.
#include <gtest/gtest.h>

#include <array>

#include "../../fuzz/tokenizer_fuzz.h"
#include "../support/mutate.h"
#include "core/fs.h"
#include "core/json.h"

namespace helio::text {
namespace {

using fuzz::Outcome;

// A whole tokenizer in a few lines: bytes are missing, which is allowed.
Json small() {
  return Json::parse(R"({
    "version": "1.0", "truncation": null, "padding": null,
    "added_tokens": [{"id": 6, "content": "<s>", "single_word": false, "lstrip": false,
                      "rstrip": true, "normalized": false, "special": true}],
    "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}]},
    "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
      {"type": "Digits", "individual_digits": true},
      {"type": "Split", "pattern": {"Regex": "\\s+|\\w+"}, "behavior": "Isolated", "invert": false},
      {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}]},
    "post_processor": {"type": "TemplateProcessing",
      "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
      "pair": [], "special_tokens": {"<s>": {"id": "<s>", "ids": [6], "tokens": ["<s>"]}}},
    "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE", "dropout": null, "unk_token": "o", "continuing_subword_prefix": null,
      "end_of_word_suffix": "", "fuse_unk": false, "byte_fallback": false, "ignore_merges": true,
      "vocab": {"l": 0, "o": 1, "lo": 2, "Ġ": 3, "Ġlo": 4, "lol": 5},
      "merges": ["l o", ["Ġ", "lo"], "lo l"]}
  })");
}

std::string error_of(const Json& json) {
  try {
    parse_tokenizer(json.dump(), "test");
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid) << error.what();
    return error.what();
  }
}

struct Change {
  const char* pointer;
  Json value;
  const char* said;
};

TEST(HostileTokenizer, TheSmallOneIsFine) {
  const auto tokenizer = parse_tokenizer(small().dump(), "test");
  // Ids from HF tokenizers 0.23.3: prefix spaces, merges, an unknown letter, the template's <s>.
  EXPECT_EQ(tokenizer->encode("lo lol"), (std::vector<TokenId>{6, 4, 3, 4, 0}));
  EXPECT_EQ(tokenizer->encode("lol", SpecialTokens::skip), (std::vector<TokenId>{4, 0}));
  EXPECT_EQ(tokenizer->encode("<s>  lo", SpecialTokens::skip), (std::vector<TokenId>{6, 4}));
  EXPECT_EQ(tokenizer->encode("x", SpecialTokens::skip), (std::vector<TokenId>{3, 1}));
}

TEST(HostileTokenizer, WhatIsWrongIsNamed) {
  const Change changes[] = {
      {"/version", "2.0", "version '2.0'"},
      {"/model/type", "Unigram", "vocabulary must be a list"},
      {"/model/type", "WordPiece", "'continuing_subword_prefix' must be a text"},
      {"/model/type", "Letters", "model 'Letters'"},
      {"/model/type", 3, "'type' must be a text"},
      {"/model/dropout", 0.1, "dropout"},
      {"/model/byte_fallback", 3, "'byte_fallback' must be true or false"},
      {"/model/continuing_subword_prefix", "##", "lacks the prefix"},
      {"/model/end_of_word_suffix", 3, "'end_of_word_suffix' must be a text"},
      {"/model/vocab", Json::array(), "vocabulary must be an object"},
      {"/model/vocab/lol", 2, "the same id"},
      {"/model/vocab/lol", -1, "no token id"},
      {"/model/vocab/lol", 1.5, "no token id"},
      {"/model/vocab/lol", "5", "no token id"},
      {"/model/vocab/lol", 4294967295u, "no token id"},
      {"/model/vocab/lol", 2'000'000, "but an id of 2000000"},
      {"/model/merges", "l o", "merges must be a list"},
      {"/model/merges/0", "lo", "no pair"},
      {"/model/merges/0", "l o l", "no pair"},
      {"/model/merges/0", {"l"}, "no pair"},
      {"/model/merges/0", {"l", 3}, "no pair"},
      {"/model/merges/0", nullptr, "no pair"},
      {"/model/merges/0", "q o", "needs 'q'"},
      {"/model/merges/0", "o l", "needs 'ol'"},
      {"/added_tokens", 3, "added_tokens must be a list"},
      {"/added_tokens/0", 3, "must be an object"},
      {"/added_tokens/0/id", 9, "by the vocabulary it is 6"},
      {"/added_tokens/0/content", 3, "'content' must be a text"},
      {"/added_tokens/0/special", "yes", "'special' must be true or false"},
      {"/normalizer/type", "Uppercase", "normalizer 'Uppercase'"},
      {"/normalizer/normalizers/0/type", "Precompiled", "no 'precompiled_charsmap'"},
      {"/normalizer/normalizers", 3, "normalizers must be a list"},
      {"/pre_tokenizer", {{"type", "Metaspace"}}, "has no 'replacement'"},
      {"/pre_tokenizer", {{"type", "Metaspace"}, {"replacement", "__"}}, "one character"},
      {"/pre_tokenizer", {{"type", "FixedLength"}, {"length", 0}}, "above zero"},
      {"/pre_tokenizer/pretokenizers/2/type", "Words", "pre-tokenizer 'Words'"},
      {"/pre_tokenizer/pretokenizers/1/behavior", "Split", "split behaviour 'Split'"},
      {"/pre_tokenizer/pretokenizers/1/pattern", "a", "must be {"},
      {"/pre_tokenizer/pretokenizers/1/pattern/Regex", "(a", "parenthesis"},
      {"/pre_tokenizer/pretokenizers/1/pattern/Regex", "\\h+", "'\\h' is not supported"},
      {"/pre_tokenizer/pretokenizers/1/pattern/Regex", "[a&&b]", "'&&'"},
      {"/pre_tokenizer/pretokenizers/1/pattern/Regex", "(?<n>a)", "is not supported"},
      {"/pre_tokenizer/pretokenizers/1/pattern/Regex", "a{2}+", "'}+'"},
      {"/pre_tokenizer/pretokenizers/1/pattern/Regex", "(*UCP)a", "'(*'"},
      {"/pre_tokenizer/pretokenizers/1/pattern/Regex", "\\", "backslash"},
      {"/pre_tokenizer/pretokenizers/1/pattern/Regex", std::string(70000, 'a'), "64 KiB"},
      {"/post_processor/type", "RobertaProcessing", "has no 'cls'"},
      {"/post_processor/type", "Padding", "post-processor 'Padding'"},
      {"/post_processor/single/1/Sequence/id", "B", "'B'"},
      {"/post_processor/single/1", {{"SpecialToken", {{"id", "<s>"}}}}, "sequence A once"},
      {"/post_processor/single/0", {{"Sequence", {{"id", "A"}}}}, "sequence A once"},
      {"/post_processor/special_tokens", Json::object(), "no '<s>'"},
      {"/post_processor/special_tokens/<s>/ids", {77}, "which no token has"},
      {"/decoder/type", "Metaspace", "has no 'replacement'"},
      {"/decoder", {{"type", "Sequence"}, {"decoders", {{{"type", "Fuses"}}}}}, "decoder 'Fuses'"},
      {"", Json::array({1}), "must be an object"},
      {"/model", nullptr, "model"},
  };
  for (const auto& change : changes) {
    Json json = small();
    json[Json::json_pointer(change.pointer)] = change.value;
    const std::string said = error_of(json);
    EXPECT_NE(said.find(change.said), std::string::npos)
        << change.pointer << " = " << change.value.dump().substr(0, 80) << " said: " << said;
  }
}

TEST(HostileTokenizer, UnsupportedPartsListTheSupportedOnes) {
  Json json = small();
  json["normalizer"]["type"] = "Upside";
  try {
    parse_tokenizer(json.dump(), "test");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_NE(error.hint().find("NFC, NFD, NFKC, NFKD, Nmt"), std::string::npos);
  }
}

TEST(HostileTokenizer, APatternThatWouldNeverEndIsStopped) {
  Json json = small();
  json["pre_tokenizer"]["pretokenizers"][1]["pattern"]["Regex"] = "(l+)+(?=X)";
  const auto tokenizer = parse_tokenizer(json.dump(), "test");
  EXPECT_THROW(tokenizer->encode(std::string(3000, 'l')), Error);
}

TEST(HostileTokenizer, DeepAndBrokenJsonIsRefused) {
  EXPECT_EQ(fuzz::try_tokenizer(std::string(100'000, '[')), Outcome::refused);
  EXPECT_EQ(fuzz::try_tokenizer("{\"model\": \"\xFF\"}"), Outcome::refused);
  EXPECT_EQ(fuzz::try_tokenizer(""), Outcome::refused);
  const std::string whole = small().dump();
  for (size_t size = 0; size < whole.size(); ++size)
    ASSERT_EQ(fuzz::try_tokenizer(std::string_view(whole).substr(0, size)), Outcome::refused)
        << size;
}

constexpr std::array<std::string_view, 22> kPieces = {"{",
                                                      "}",
                                                      "[",
                                                      "]",
                                                      ",",
                                                      ":",
                                                      "\"",
                                                      "null",
                                                      "true",
                                                      "-1",
                                                      "4294967296",
                                                      "\"A\"",
                                                      "\"Sequence\"",
                                                      "\"l o\"",
                                                      "\\u0000",
                                                      "\xff",
                                                      "\"<s>\"",
                                                      "\"ByteLevel\"",
                                                      "(",
                                                      "\\\\p{L}",
                                                      "+",
                                                      "\"NFKC\""};

TEST(HostileTokenizer, ThousandsOfMutationsAreReadOrRefused) {
  const std::string whole = small().dump();
  const std::string real =
      read_file(fs::path(HELIO_SOURCE_DIR) / "tests/fixtures/bpe/split/tokenizer.json");
  ASSERT_EQ(fuzz::try_tokenizer(whole), Outcome::accepted);
  ASSERT_EQ(fuzz::try_tokenizer(real), Outcome::accepted);
  Rng rng(20241125);
  int accepted = 0, refused = 0;
  for (int round = 0; round < 6000; ++round) {
    const std::string json = mutate(round % 40 == 0 ? real : whole, kPieces, rng,
                                    {.most_changes = 3, .longest_span = 16});
    (fuzz::try_tokenizer(json) == Outcome::accepted ? accepted : refused) += 1;
  }
  EXPECT_GT(accepted, 100);
  EXPECT_GT(refused, 2000);
}

}  // namespace
}  // namespace helio::text
