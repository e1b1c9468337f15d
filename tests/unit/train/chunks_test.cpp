// Chunks by source, what is in the data twice, and references that saw what they judge.
#include "train/chunks.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace helio::train {
namespace {

TEST(SourceChunks, AreOrderedByTheStartModelsAccuracy) {
  const std::vector<std::string> sources = {"hard", "easy", "easy", "middle", "hard", "middle"};
  const std::vector<double> margins = {-1, 2, 1, 1, -2, -1};
  using Chunks = std::vector<std::vector<size_t>>;
  EXPECT_EQ(make_source_chunks(sources, margins, 3, "easy_to_hard", 0),
            (Chunks{{1, 2}, {3, 5}, {0, 4}}));
  EXPECT_EQ(make_source_chunks(sources, margins, 3, "hard_to_easy", 0),
            (Chunks{{0, 4}, {3, 5}, {1, 2}}));
  EXPECT_EQ(make_source_chunks(sources, margins, 1, "easy_to_hard", 0),
            (Chunks{{1, 2, 3, 5, 0, 4}}));
  for (uint64_t seed = 0; seed < 8; ++seed) {
    const auto random = make_source_chunks(sources, margins, 2, "random", seed);
    EXPECT_EQ(random.size(), 2u);
    EXPECT_EQ(random[0].size() + random[1].size(), 6u);
  }
  EXPECT_THROW(make_source_chunks(sources, margins, 4, "easy_to_hard", 0), Error);
}

TEST(SourceChunks, GiveEveryStepSomething) {
  std::vector<std::string> sources(100, "large");
  for (const char* small : {"a", "b", "c"}) sources.emplace_back(small);
  std::vector<double> margins(sources.size(), 1);
  for (const char* order : {"easy_to_hard", "hard_to_easy"})
    for (int64_t count = 1; count <= 4; ++count) {
      const auto chunks = make_source_chunks(sources, margins, count, order, 0);
      ASSERT_EQ(chunks.size(), static_cast<size_t>(count));
      size_t rows = 0;
      for (const auto& chunk : chunks) {
        EXPECT_FALSE(chunk.empty());
        rows += chunk.size();
      }
      EXPECT_EQ(rows, sources.size());
    }
}

TEST(DuplicatePairs, AreFoundWithinAndAcrossChunks) {
  const EncodedPreference a{.prompt = {1, 2}, .chosen = {3}, .rejected = {4}};
  EncodedPreference b = a;
  b.chosen = {5};
  const Duplicates found = find_duplicates({a, b, a, a}, {{0, 1, 2}, {3}});
  EXPECT_EQ(found.pairs, 2);
  EXPECT_EQ(found.across_chunks, 1);
  EXPECT_EQ(found.prompts_across, 1);
}

TEST(ReferenceCheck, RaisesTheAlarmForAReferenceThatSawTheChunk) {
  const std::vector<EncodedPreference> pairs(40, {.prompt = {1}, .chosen = {2}, .rejected = {3}});
  std::vector<PairScore> start, same, trained;
  for (int i = 0; i < 40; ++i) {
    const double noise = (i * 7 % 11) / 5.0;
    start.push_back({.chosen = -20 + noise, .rejected = -18});
    same.push_back({.chosen = -19 + noise * 1.5, .rejected = -18.5});
    trained.push_back({.chosen = -12 + noise, .rejected = -25 - noise});
  }
  const auto fair = check_overfit({pairs, same, start}, {pairs, same, start});
  EXPECT_FALSE(fair.alarm);
  EXPECT_EQ(fair.standard_errors, 0);
  const auto seen = check_overfit({pairs, trained, start}, {pairs, same, start});
  EXPECT_TRUE(seen.alarm);
  EXPECT_GT(seen.chunk_shift, 10);
  EXPECT_FALSE(check_overfit({pairs, trained, start}, {{}, {}, {}}).alarm) << "nothing held out";
}

TEST(AccuracyBySource, CountsEachSourcesPairs) {
  std::vector<EncodedPreference> pairs(3, {.prompt = {1}, .chosen = {2}, .rejected = {3}});
  pairs[0].source = "x";
  pairs[1].source = pairs[2].source = "y";
  const auto json =
      accuracy_by_source(pairs, {{-1, -2}, {-1, -2}, {-3, -2}}, {{-2, -2}, {-2, -2}, {-2, -2}});
  EXPECT_EQ(json["x"]["share"], 1.0);
  EXPECT_EQ(json["y"]["correct"], 1);
  EXPECT_EQ(json["y"]["of"], 2);
}

}  // namespace
}  // namespace helio::train
