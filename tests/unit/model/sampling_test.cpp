#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "core/error.h"
#include "model/sampler.h"
#include "model/text_stream.h"

namespace helio::model {
namespace {

std::map<text::TokenId, double> shares(const std::vector<float>& logits,
                                       const SamplerOptions& options) {
  Rng rng(5);
  std::map<text::TokenId, double> counts;
  constexpr int kDraws = 40000;
  for (int i = 0; i < kDraws; ++i) counts[sample(logits, options, rng)] += 1.0 / kDraws;
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

TEST(Sampler, RefusesNaN) {
  Rng rng(1);
  EXPECT_THROW(sample(std::vector<float>{0, std::numeric_limits<float>::quiet_NaN()}, {}, rng),
               Error);
}

// Everything that came out, one push a byte.
std::string streamed(std::string_view bytes, std::vector<std::string> stops = {}) {
  TextStream stream(std::move(stops));
  std::string out;
  for (const char byte : bytes) out += stream.push({&byte, 1});
  return out + stream.finish();
}

TEST(TextStream, HoldsBackCharactersThatAreNotWhole) {
  TextStream stream;
  EXPECT_EQ(stream.push("a\xEA\xB0"), "a");  // two of the three bytes of 가
  EXPECT_EQ(stream.push("\x80!"), "가!");
  EXPECT_EQ(streamed("가나다 👍 end"), "가나다 👍 end");
}

TEST(TextStream, BrokenBytesBecomeReplacementCharacters) {
  EXPECT_EQ(streamed("a\xFF"
                     "b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(streamed("a\xEA\xB0"
                     "b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(streamed("a\xF0\x9F\x91"), "a\xEF\xBF\xBD");  // cut at the end
  EXPECT_EQ(streamed("\x80\x80\x80\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(TextStream, EndsBeforeAStopStringAndShowsNoneOfIt) {
  EXPECT_EQ(streamed("one\n\n### User: two", {"\n\n### User"}), "one");
  EXPECT_EQ(streamed("one\n\n### Use it", {"\n\n### User"}), "one\n\n### Use it");
  EXPECT_EQ(streamed("ab", {"abc", "b"}), "a");
  TextStream stream({"STOP"});
  EXPECT_EQ(stream.push("go ST"), "go ");
  EXPECT_EQ(stream.push("AR STOP more"), "STAR ");
  EXPECT_TRUE(stream.stopped());
  EXPECT_EQ(stream.push("x") + stream.finish(), "");
}

}  // namespace
}  // namespace helio::model
