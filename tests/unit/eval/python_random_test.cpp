// Expected values: CPython 3.11, random.Random(seed).
#include "eval/python_random.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "core/json.h"

namespace helio::eval {
namespace {

using Draws = std::vector<uint32_t>;

Draws first_bits(int64_t seed, size_t count) {
  PythonRandom random(seed);
  Draws out;
  for (size_t i = 0; i < count; ++i) out.push_back(random.bits());
  return out;
}

TEST(PythonRandom, BitsOfSmallLargeAndNegativeSeeds) {
  EXPECT_EQ(first_bits(1234, 4), (Draws{4150886329u, 3342196574u, 1892932127u, 501869158u}));
  EXPECT_EQ(first_bits(0, 3), (Draws{3626764237u, 1654615998u, 3255389356u}));
  EXPECT_EQ(first_bits((int64_t{1} << 40) + 7, 3), (Draws{2635837658u, 3209733218u, 3500038837u}));
  EXPECT_EQ(first_bits(-5, 2), (Draws{2675342405u, 1097127993u}));
  EXPECT_EQ(first_bits(5, 2), first_bits(-5, 2));
}

TEST(PythonRandom, Below) {
  PythonRandom random(42);
  Draws got;
  for (const uint32_t n : {1u, 2u, 3u, 10u, 1000u, 1u << 31}) got.push_back(random.below(n));
  EXPECT_EQ(got, (Draws{0, 0, 2, 4, 250, 958682846u}));
  EXPECT_THROW(random.below(0), Error);
}

TEST(PythonRandom, SampleUsesCPythonsTwoMethods) {
  PythonRandom random(1234);
  EXPECT_EQ(random.sample(1119, 25),
            (Draws{902, 239, 15,  185, 71,  171, 201, 726,  484, 35,  63,  32,  708,
                   991, 949, 304, 186, 374, 234, 29,  1030, 996, 511, 132, 1108}));
  EXPECT_EQ(random.sample(30, 5), (Draws{29, 14, 2, 19, 21}));
  EXPECT_EQ(random.sample(7, 3), (Draws{0, 4, 5}));
  EXPECT_EQ(random.sample(100, 6), (Draws{5, 34, 71, 8, 82, 38}));
  EXPECT_EQ(random.sample(300, 30),
            (Draws{246, 181, 136, 127, 102, 232, 271, 9,   260, 36,  2,  170, 73,  242, 193,
                   85,  27,  39,  254, 83,  38,  285, 110, 13,  177, 56, 72,  156, 20,  213}));
  EXPECT_THROW(random.sample(3, 4), Error);
  EXPECT_TRUE(random.sample(3, 0).empty());
}

TEST(PythonRandom, Shuffle) {
  PythonRandom random(42);
  std::vector<int> items = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  random.shuffle(items);
  EXPECT_EQ(items, (std::vector<int>{7, 5, 2, 8, 9, 6, 11, 3, 4, 0, 1, 10}));
}

// All draws of lm-eval's few-shot tasks over their whole data, by hash. Skipped where the golden
// file is not at hand.
TEST(PythonRandom, EveryFewShotDrawOfTheSampledTasks) {
  const char* root = std::getenv("HELIO_BENCHMARKS");
  const fs::path file =
      fs::path(root ? root : "/work/shared/data/benchmarks") / "golden/fewshot_draws.json";
  if (!fs::exists(file)) GTEST_SKIP() << "golden/fewshot_draws.json is not in $HELIO_BENCHMARKS";
  int checked = 0;
  const Json all = load_json(file);
  for (const auto& [name, golden] : all.items()) {
    if (golden.contains("doc_order_first5")) continue;  // shuffled documents: another protocol
    PythonRandom random(golden.at("seed").get<int64_t>());
    std::string json = "[";
    for (int64_t doc = 0; doc < golden.at("n_docs").get<int64_t>(); ++doc) {
      json += doc ? ", [" : "[";
      bool first = true;
      for (const uint32_t i : random.sample(golden.at("n_pool"), golden.at("draw"))) {
        json += (first ? "" : ", ") + std::to_string(i);
        first = false;
      }
      json += "]";
    }
    EXPECT_EQ(sha256_hex(json + "]"), golden.at("sha256_of_json_all").get<std::string>()) << name;
    ++checked;
  }
  EXPECT_EQ(checked, 8);
}

}  // namespace
}  // namespace helio::eval
