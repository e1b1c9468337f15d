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

// Files of a kilobyte that would make terabytes of one letter.
TEST(HostileTokenizer, ReplacementsThatGrowWithoutEndAreStopped) {
  const auto chain = [](const Json& step, const char* type, const char* list) {
    return Json{{"type", type}, {list, Json(std::vector<Json>(60, step))}};
  };
  const Json doubling = {{"type", "Replace"}, {"pattern", {{"String", "l"}}}, {"content", "ll"}};
  const Json letters = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  for (const auto& step : {doubling, Json{{"type", "ByteLevel"}}}) {
    Json json = small();
    json["normalizer"] = chain(step, "Sequence", "normalizers");
    const auto tokenizer = parse_tokenizer(json.dump(), "test");
    EXPECT_THROW(tokenizer->encode("l\u00e9"), Error);
    EXPECT_THROW(tokenizer->encode_with_offsets("l\u00e9"), Error);
    // An added token is normalised when the file is read.
    json["added_tokens"][0]["content"] = "<l\u00e9>";
    json["added_tokens"][0]["normalized"] = true;
    EXPECT_NE(error_of(json).find("grow without end"), std::string::npos);
  }
  // A decoder may be refused when the file is read, or when it is used.
  Json growing = small();
  growing["decoder"] = chain(doubling, "Sequence", "decoders");
  EXPECT_THROW(parse_tokenizer(growing.dump(), "test")->decode({0, 2, 5}), Error);
  growing["decoder"]["decoders"].insert(growing["decoder"]["decoders"].begin(),
                                        Json{{"type", "Fuse"}});
  EXPECT_THROW(parse_tokenizer(growing.dump(), "test")->decode({0, 2, 5}), Error);
  Json json = small();
  json["pre_tokenizer"] = chain(letters, "Sequence", "pretokenizers");
  EXPECT_NE(error_of(json).find("too many steps"), std::string::npos);
}

TEST(HostileTokenizer, OddNumbersAndRepeatedKeysAreReadOrRefused) {
  const std::string whole = small().dump();
  const auto with = [&](const std::string& what, const std::string& by) {
    const size_t at = whole.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return std::string(whole).replace(at, what.size(), by);
  };
  for (const char* number : {"1e3", "5.0", "-0", "-1", "1e400", "18446744073709551616",
                             "9223372036854775807", "true", "[]", "\"5\"", "NaN", "0x5"})
    EXPECT_EQ(fuzz::try_tokenizer(with("\"lol\":5", "\"lol\":" + std::string(number))),
              Outcome::refused)
        << number;
  // The last one counts, as in Python: three tokens are left of the six ids.
  EXPECT_EQ(fuzz::try_tokenizer(with("\"lol\":5", "\"lol\":5,\"lol\":5")), Outcome::accepted);
  EXPECT_EQ(fuzz::try_tokenizer(with("\"lol\":5", "\"lol\":9,\"lol\":5")), Outcome::accepted);
  EXPECT_EQ(fuzz::try_tokenizer(with("\"type\":\"BPE\"", "\"type\":\"BPE\",\"type\":7")),
            Outcome::refused);
}

// Merges whose results are the tokens they are made of: empty tokens, and affixes taken away.
TEST(HostileTokenizer, MergesInACircleEnd) {
  Json json = small();
  json["pre_tokenizer"] = json["decoder"] = nullptr;
  auto& model = json["model"];
  json["added_tokens"] = Json::array();
  json["post_processor"] = nullptr;
  model["continuing_subword_prefix"] = "##";
  model["unk_token"] = "##";
  model["vocab"] = {{"", 0}, {"##", 1}, {"l", 2}, {"##l", 3}, {"ll", 4}, {"l##", 5}};
  model["merges"] = {"l ##", "## ##", " ##", "l ##l", "ll ##"};
  ASSERT_EQ(fuzz::try_tokenizer(json.dump()), Outcome::accepted);
  const auto tokenizer = parse_tokenizer(json.dump(), "test");
  EXPECT_EQ(tokenizer->encode(std::string(5000, 'x')).size(), 1u);
  EXPECT_EQ(tokenizer->encode("l" + std::string(5000, 'x')).size(), 1u);
}

TEST(HostileTokenizer, ACharsmapMayNotSayMoreThanItHas) {
  const auto with = [](const std::string& map) {
    Json json = small();
    json["normalizer"] = {{"type", "Precompiled"}, {"precompiled_charsmap", map}};
    return json;
  };
  EXPECT_NE(error_of(with("/////w==")).find("longer than the map"), std::string::npos);  // 4 GiB
  EXPECT_NE(error_of(with("AAAAAA==")).find("or empty"), std::string::npos);
  EXPECT_NE(error_of(with("AAA")).find("no base64"), std::string::npos);
  EXPECT_NE(error_of(with("")).find("too short"), std::string::npos);
  // A trie of one unit, which points far away.
  const auto tokenizer = parse_tokenizer(with("BAAAAP////8=").dump(), "test");
  EXPECT_THROW(tokenizer->encode("lo"), Error);
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

// The fuzzer's own corpus: the layout of every family in miniature, and mutations of it.
TEST(HostileTokenizer, TheFuzzersCorpusAndItsMutationsAreReadOrRefused) {
  Rng rng(20241127);
  int files = 0, accepted = 0;
  for (const auto& entry :
       fs::directory_iterator(fs::path(HELIO_SOURCE_DIR) / "tests/fuzz/corpus/tokenizer_json")) {
    const std::string json = read_file(entry.path());
    ASSERT_NO_THROW(parse_tokenizer(json, entry.path().string())) << entry.path();
    ++files;
    for (int round = 0; round < 400; ++round)
      accepted += fuzz::try_tokenizer(mutate(json, kPieces, rng,
                                             {.most_changes = 3, .longest_span = 16})) ==
                  Outcome::accepted;
  }
  EXPECT_GE(files, 9);
  EXPECT_GT(accepted, 100);
}

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
