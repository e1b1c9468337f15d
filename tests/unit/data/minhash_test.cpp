#include "data/dedup/minhash.h"

#include <gtest/gtest.h>

#include "core/rng.h"
#include "text/utf8.h"

namespace helio::data {
namespace {

std::vector<uint64_t> slots(std::initializer_list<uint64_t> values) { return values; }

TEST(MinHash, AllKernelsGiveTheSameMinima) {
  Rng rng(3);
  std::vector<uint64_t> hashes(301);
  for (uint64_t& hash : hashes) hash = rng.next();
  // Values around the prime, where a reduction that is off by one shows.
  for (const uint64_t edge : {uint64_t(0), kMinHashPrime - 1, kMinHashPrime, kMinHashPrime + 1,
                              2 * kMinHashPrime, 2 * kMinHashPrime - 1, ~uint64_t(0)})
    hashes.push_back(edge);
  for (const size_t slots : {8, 16, 24, 56, 112, 120, 256})
    for (const uint64_t mask : {~uint64_t(0), uint64_t(0xFFFFFFFF)}) {
      std::vector<uint64_t> a(slots), b(slots);
      for (uint64_t& x : a) x = rng.below(kMinHashPrime);
      for (uint64_t& x : b) x = rng.below(kMinHashPrime);
      a[0] = 1, b[0] = 0;
      for (const size_t count : {size_t(1), size_t(2), hashes.size()}) {
        std::vector<uint64_t> expected(slots, ~uint64_t(0));
        for (size_t at = hashes.size() - count; at < hashes.size(); ++at)
          for (size_t i = 0; i < slots; ++i)
            expected[i] =
                std::min(expected[i], ((hashes[at] * a[i] + b[i]) % kMinHashPrime) & mask);
        for (const MinHashKernel kernel : minhash_kernels()) {
          std::vector<uint64_t> minima(slots, ~uint64_t(0));
          // In two parts: minima are carried on.
          minhash_minima(kernel, hashes.data() + hashes.size() - count, count / 2, a.data(),
                         b.data(), minima.data(), slots, mask);
          minhash_minima(kernel, hashes.data() + hashes.size() - count + count / 2,
                         count - count / 2, a.data(), b.data(), minima.data(), slots, mask);
          EXPECT_EQ(minima, expected) << name_of(kernel) << " " << slots << " " << mask;
        }
      }
    }
}

TEST(MinHash, UnitsAreWordsSyllablesOrJamo) {
  const auto units = [](const char* text, TextUnit unit) {
    const SimpleWords words(text, unit);
    std::vector<std::string> all;
    for (size_t i = 0; i < words.size(); ++i) all.emplace_back(words.run(i, 1));
    return all;
  };
  using List = std::vector<std::string>;
  const char* text = "  \"Élan 1,234\" 값은… ";
  EXPECT_EQ(units(text, TextUnit::word),
            (List{"elan", "0", "\u1100\u1161\u11b9\u110b\u1173\u11ab"}));
  EXPECT_EQ(units(text, TextUnit::syllable), (List{"e", "l", "a", "n", "0", "값", "은"}));
  EXPECT_EQ(units(text, TextUnit::jamo), (List{"e", "l", "a", "n", "0", "\u1100", "\u1161",
                                               "\u11b9", "\u110b", "\u1173", "\u11ab"}));
  EXPECT_EQ(SimpleWords(text, TextUnit::syllable).run(4, 3), "0값은");
  EXPECT_EQ(SimpleWords(text, TextUnit::jamo).text(), "elan0\u1100\u1161\u11b9\u110b\u1173\u11ab");
  EXPECT_EQ(SimpleWords(text).run(1, 2), "0 \u1100\u1161\u11b9\u110b\u1173\u11ab");
  for (const TextUnit unit : {TextUnit::word, TextUnit::syllable, TextUnit::jamo})
    for (const char* nothing : {"", " \n", "\xCC\x81 \xCC\x81", "...!"}) {
      EXPECT_EQ(SimpleWords(nothing, unit).size(), 0u);
      EXPECT_EQ(SimpleWords(nothing, unit).text(), "");
    }
}

TEST(MinHash, OtherFormsOfWords) {
  SimpleWords words;
  words.read_raw(" One,\ttwo  값은… ");
  EXPECT_EQ(words.text(), "One, two 값은…");
  EXPECT_EQ(words.size(), 3u);
  words.read_word_characters("Don't_stop: 값은…2017년 É!");
  EXPECT_EQ(words.text(), "don t_stop 값은 2017년 é");
  EXPECT_EQ(words.run(1, 2), "t_stop 값은");
}

// Text cut anywhere, in any of its forms, stays inside its buffer (seen under ASan) and is what it
// would be with every broken byte replaced.
TEST(MinHash, BrokenTextsAreReadAsRepairedOnes) {
  Rng rng(11);
  const std::string seed = "값은 ΣΑΣ 1,2 é\u1fb7 \U0001D160 각\u0344 ﬁ ９.８ \u0130x İ 한글";
  for (int round = 0; round < 3000; ++round) {
    std::string text = seed.substr(rng.below(seed.size()));
    for (uint64_t edits = rng.below(6); edits > 0 && !text.empty(); --edits)
      text[rng.below(text.size())] = static_cast<char>(rng.below(256));
    for (const TextUnit unit : {TextUnit::word, TextUnit::syllable, TextUnit::jamo})
      EXPECT_EQ(SimpleWords(text, unit).text(), SimpleWords(text::repair_utf8(text), unit).text());
  }
}

TEST(MinHash, BandsAreThoseOfDatasketchsOptimalParam) {
  // Recorded from scipy.integrate.quad over the same two areas.
  const auto is = [](double threshold, int64_t permutations, int64_t bands, int64_t rows) {
    const Bands best = best_bands(threshold, permutations);
    EXPECT_EQ(best.bands, bands) << threshold << " " << permutations;
    EXPECT_EQ(best.rows, rows) << threshold << " " << permutations;
  };
  is(0.7, 250, 25, 10);
  is(0.7, 256, 25, 10);
  is(0.7, 240, 24, 10);
  is(0.05, 250, 32, 1);
  is(0.8, 128, 9, 13);
  is(0.5, 128, 25, 5);
  EXPECT_NEAR(chance_of_candidate(0.75, {14, 8}), 0.772, 0.001);
}

TEST(MinHash, SimilaritiesOfSlotsAndSets) {
  EXPECT_EQ(estimated_similarity(slots({1, 2, 3, 4}), slots({1, 2, 0, 4})), 0.75);
  EXPECT_EQ(estimated_similarity(slots({}), slots({})), 0);
  EXPECT_EQ(jaccard(as_set(slots({3, 1, 3, 2})), as_set(slots({2, 9, 3}))), 0.5);
  EXPECT_EQ(jaccard({}, {}), 0);
}

TEST(MinHash, KoreanTextsThatDifferAreNotDuplicatesAndEditsAre) {
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

}  // namespace
}  // namespace helio::data
