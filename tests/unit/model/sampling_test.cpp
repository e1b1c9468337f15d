#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "core/error.h"
#include "model/sampler.h"

namespace helio::model {
namespace {

std::map<text::TokenId, double> shares(const std::vector<float>& logits,
                                       const SamplerOptions& options, int draws = 40000) {
  Rng rng(5);
  std::map<text::TokenId, double> counts;
  for (int i = 0; i < draws; ++i) counts[sample(logits, options, rng)] += 1.0 / draws;
  return counts;
}

const std::vector<float> kLogits = {std::log(0.1f), std::log(0.5f), std::log(0.3f), std::log(0.1f)};

TEST(Sampler, GreedyTakesTheFirstOfTheLargest) {
  Rng rng(1);
  EXPECT_EQ(sample(std::vector<float>{1, 3, 2, 3}, {}, rng), 1);
  EXPECT_EQ(rng.state(), Rng(1).state());
}

TEST(Sampler, DrawsByProbability) {
  const auto seen = shares(kLogits, {.temperature = 1});
  EXPECT_NEAR(seen.at(0), 0.1, 0.01);
  EXPECT_NEAR(seen.at(1), 0.5, 0.01);
  EXPECT_NEAR(seen.at(2), 0.3, 0.01);
}

TEST(Sampler, TemperatureSharpens) {
  const auto seen = shares(kLogits, {.temperature = 0.5});  // probabilities squared
  EXPECT_NEAR(seen.at(1), 0.25 / 0.36, 0.01);
}

TEST(Sampler, TopKKeepsTheMostProbable) {
  const auto seen = shares(kLogits, {.temperature = 1, .top_k = 2});
  EXPECT_EQ(seen.size(), 2);
  EXPECT_NEAR(seen.at(1), 0.625, 0.01);
}

TEST(Sampler, TopPKeepsTheSmallestSetThatReachesIt) {
  EXPECT_EQ(shares(kLogits, {.temperature = 1, .top_p = 0.6}).size(), 2);
  EXPECT_EQ(shares(kLogits, {.temperature = 1, .top_p = 0.45}).size(), 1);
  EXPECT_EQ(shares(kLogits, {.temperature = 1, .top_p = 0.0}).size(), 1);
  EXPECT_EQ(shares(kLogits, {.temperature = 1, .top_p = 0.85}).count(3),
            0);  // of two equals the first
}

TEST(Sampler, MinPKeepsWhatIsNearTheMostProbable) {
  EXPECT_EQ(shares(kLogits, {.temperature = 1, .min_p = 0.5}).size(), 2);  // 0.5 and 0.3
  EXPECT_EQ(shares(kLogits, {.temperature = 1, .min_p = 0.9}).size(), 1);
  EXPECT_EQ(shares(kLogits, {.temperature = 1, .min_p = 0.19}).size(), 4);
}

TEST(Sampler, DrawsFromLargeVocabulariesAsFromSmallOnes) {
  // All of 5,000 equal but for one: its share shows, and far ranks are reached.
  std::vector<float> logits(5000, 0.0f);
  logits[4321] = std::log(5000.0f);
  const auto seen = shares(logits, {.temperature = 1}, 2000);
  EXPECT_NEAR(seen.at(4321), 5000.0 / 9999.0, 0.04);
  EXPECT_GT(seen.rbegin()->first, 4900);
  EXPECT_GT(seen.size(), 800);
}

TEST(Sampler, PenaltiesFollowTransformersAndOpenAI) {
  std::vector<float> logits = {2, -2, 1, 0.5f};
  const std::vector<text::TokenId> prompt = {0, 1, 99}, answer = {2, 2};
  apply_penalties(logits, {.repetition_penalty = 2}, prompt, answer);
  EXPECT_EQ(logits, (std::vector<float>{1, -4, 0.5f, 0.5f}));
  logits = {2, -2, 1, 0.5f};
  apply_penalties(logits, {.presence_penalty = 0.5, .frequency_penalty = 0.25, .bias = {{3, 4.0f}}},
                  prompt, answer);
  EXPECT_EQ(logits, (std::vector<float>{2, -2, 0, 4.5f}));
}

TEST(Sampler, RefusesNaN) {
  Rng rng(1);
  EXPECT_THROW(sample(std::vector<float>{0, std::numeric_limits<float>::quiet_NaN()}, {}, rng),
               Error);
}

}  // namespace
}  // namespace helio::model
