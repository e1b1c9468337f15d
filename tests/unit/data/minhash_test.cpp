#include "data/minhash.h"

#include <gtest/gtest.h>

#include "data/pii.h"

namespace helio::data {
namespace {

std::vector<uint64_t> slots(std::initializer_list<uint64_t> values) { return values; }

TEST(MinHashClusters, LinksThroughABandAndThroughOthersAndTheFirstIsTheRoot) {
  const MinHashOptions options{.buckets = 2, .hashes_per_bucket = 2};
  const std::vector<std::vector<uint64_t>> signatures = {slots({1, 2, 3, 4}),
                                                         slots({9, 9, 8, 8}),
                                                         slots({5, 6, 8, 8}),
                                                         slots({5, 6, 7, 7}),
                                                         {},
                                                         slots({3, 4, 1, 2}),
                                                         slots({1, 2, 0, 0}),
                                                         {}};
  const std::vector<size_t> expected = {0, 1, 1, 1, 4, 5, 0, 7};
  for (const int threads : {1, 2, 7})
    EXPECT_EQ(first_of_cluster(signatures, options, threads), expected);
}

TEST(MinHashClusters, SimilarityIsTheShareOfEqualSlots) {
  EXPECT_EQ(estimated_similarity({1, 2, 3, 4}, {1, 2, 0, 4}), 0.75);
  EXPECT_EQ(estimated_similarity({}, {}), 0);
}

TEST(MinHashClusters, KoreanTextsThatDifferAreNotDuplicatesAndEditsAre) {
  // Dataverse's tokeniser sees no Korean word at all; here each 어절 counts.
  const MinHash minhash({});
  std::string text;
  for (int i = 0; i < 60; ++i)
    text += "낱말" + std::string(1, char('a' + i % 26)) + "과 글" +
            std::string(1, char('a' + i / 3)) + "를 ";
  const auto whole = minhash.signature(text);
  const auto edited = minhash.signature(text + " 끝입니다");
  const auto other =
      minhash.signature("전혀 다른 내용의 글이며 낱말도 순서도 앞의 글과 겹치지 않습니다");
  EXPECT_GT(estimated_similarity(whole, edited), 0.9);
  EXPECT_LT(estimated_similarity(whole, other), 0.05);
}

TEST(Pii, ResidentNumbersNeedADateAndBeforeOctober2020AChecksum) {
  EXPECT_TRUE(is_rrn("9001011234568"));
  EXPECT_FALSE(is_rrn("9001011234567"));  // checksum
  EXPECT_FALSE(is_rrn("9002301234568"));  // 30 February
  EXPECT_TRUE(is_rrn("2010013123456"));   // October 2020: no checksum any more
  EXPECT_FALSE(is_rrn("900101123456"));
}

TEST(Pii, LuhnFindsASingleWrongDigit) {
  const std::string good = "4111111111111111";
  EXPECT_TRUE(passes_luhn(good));
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == '9' ? '0' : char(bad[i] + 1);
    EXPECT_FALSE(passes_luhn(bad)) << i;
  }
}

}  // namespace
}  // namespace helio::data
