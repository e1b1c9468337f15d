// Thousands of seeded mutations through what the fuzz targets run: no crash, no accepted nonsense.
#include <array>

#include "../../fuzz/checkpoint_fuzz.h"
#include "../support/mutate.h"
#include "checkpoint_test.h"

namespace helio::checkpoint {
namespace {

using namespace testing;
using fuzz::Outcome;

constexpr std::array<std::string_view, 30> kPieces = {"{",
                                                      "}",
                                                      "[",
                                                      "]",
                                                      ",",
                                                      ":",
                                                      "\"",
                                                      "\\",
                                                      "null",
                                                      "true",
                                                      "-1",
                                                      "0",
                                                      "1e308",
                                                      "4294967296",
                                                      "9223372036854775807",
                                                      "18446744073709551615",
                                                      "\"F32\"",
                                                      "\"U8\"",
                                                      "\"dtype\"",
                                                      "\"shape\"",
                                                      "\"data_offsets\"",
                                                      "\"__metadata__\"",
                                                      "\\u0000",
                                                      "\xff",
                                                      " ",
                                                      "\"llama3\"",
                                                      "\"linear\"",
                                                      "2.5",
                                                      "\"\"",
                                                      "[0,0]"};

// The header's length prefix follows the mutated header in most rounds, so that mutations reach
// the checks behind it.
TEST(FuzzReplay, MutatedSafetensorsAreReadOrRefused) {
  const std::string file = read_file(fixture("dus_tiny/bf16/input/model.safetensors"));
  const auto header = parse_safetensors_header(file, file.size(), "x");
  const std::string small = file_of(
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[],"data_offsets":[8,9]}})",
      9);
  ASSERT_EQ(fuzz::try_safetensors(file), Outcome::accepted);
  ASSERT_EQ(fuzz::try_safetensors(small), Outcome::accepted);
  Rng rng(20241123);
  int accepted = 0, refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    const bool large = round % 20 == 0;
    const std::string& whole = large ? file : small;
    const size_t data_begin =
        large ? header.data_begin : parse_safetensors_header(small, small.size(), "x").data_begin;
    std::string bytes;
    if (round % 5 == 0) {
      bytes = mutate(whole, kPieces, rng);
    } else {
      const std::string text =
          mutate(whole.substr(0, data_begin), kPieces, rng, {.begin = 8}).substr(8);
      bytes = file_of(text, whole.size() - data_begin);
    }
    (fuzz::try_safetensors(bytes) == Outcome::accepted ? accepted : refused) += 1;
  }
  EXPECT_GT(accepted, 100);  // names and metadata may change without harm
  EXPECT_GT(refused, 10'000);
}

TEST(FuzzReplay, EveryCutOfAFileIsRefused) {
  const std::string file = read_file(fixture("llama_tiny/tied_theta/model.safetensors"));
  const auto header = parse_safetensors_header(file, file.size(), "x");
  for (size_t length = 0; length < header.data_begin + 64; ++length)
    ASSERT_EQ(fuzz::try_safetensors(std::string_view(file).substr(0, length)), Outcome::refused)
        << length;
  ASSERT_EQ(fuzz::try_safetensors(std::string_view(file).substr(0, file.size() - 1)),
            Outcome::refused);
}

TEST(FuzzReplay, MutatedMergePlansAreReadOrRefused) {
  constexpr std::array<std::string_view, 24> pieces = {
      "{",  "}",    "[",           "]",          ",",      ":",     "- ",          "\n",
      "  ", "null", "true",        "-1",         "1e308",  "nan",   "10000000000", "&a ",
      "*a", "!!x ", "layer_range", "[0, 10000]", "filter", "value", "\xff",        "#"};
  std::vector<std::string> seeds;
  for (const char* name : {"linear", "slerp", "slices", "ties", "slices_of_means"})
    seeds.push_back(read_file(fixture("merge_tiny/bf16/plans") / (std::string(name) + ".yaml")));
  for (const auto& seed : seeds) ASSERT_EQ(fuzz::try_merge_plan(seed), Outcome::accepted);
  Rng rng(20261127);
  int accepted = 0, refused = 0;
  for (int round = 0; round < 5'000; ++round)
    (fuzz::try_merge_plan(mutate(seeds[rng.below(seeds.size())], pieces, rng)) == Outcome::accepted
         ? accepted
         : refused) += 1;
  EXPECT_GT(accepted, 50);
  EXPECT_GT(refused, 1'000);
  // Aliases that double with every level, and brackets without an end.
  std::string bomb = "a0: &a0 [x]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string last = "*a" + std::to_string(i - 1), n = std::to_string(i);
    bomb += "a" + n + ": &a" + n + " [" + last + ", " + last + "]\n";
  }
  EXPECT_EQ(fuzz::try_merge_plan(bomb), Outcome::refused);
  EXPECT_EQ(fuzz::try_merge_plan(std::string(100'000, '[')), Outcome::refused);
}

TEST(FuzzReplay, MutatedConfigsAreReadOrRefused) {
  std::vector<std::string> seeds;
  for (const char* name : {"gqa_untied", "llama3_rope"})
    for (const char* form : {"config.json", "config_v4.json"})
      seeds.push_back(read_file(fixture("llama_tiny") / name / form));
  for (const char* name : {"gemma2", "gemma3", "mixtral", "phi3_long", "qwen2", "qwen3_moe"})
    for (const char* form : {"config.json", "config_v4.json"})
      seeds.push_back(read_file(fixture("families") / name / form));
  for (const auto& seed : seeds) ASSERT_EQ(fuzz::try_config(seed), Outcome::accepted);
  Rng rng(20241124);
  int accepted = 0, refused = 0;
  for (int round = 0; round < 8'000; ++round)
    (fuzz::try_config(mutate(seeds[rng.below(seeds.size())], kPieces, rng)) == Outcome::accepted
         ? accepted
         : refused) += 1;
  EXPECT_GT(accepted, 100);
  EXPECT_GT(refused, 1'000);
}

}  // namespace
}  // namespace helio::checkpoint
