#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/rng.h"
#include "data/external_sort.h"
#include "temp_dir.h"

namespace helio::data {
namespace {

struct Pair {
  uint64_t key = 0, value = 0;
  auto operator<=>(const Pair&) const = default;
};

std::vector<Pair> some_pairs(size_t count, uint64_t keys) {
  Rng rng(7);
  std::vector<Pair> pairs;
  for (size_t i = 0; i < count; ++i) pairs.push_back({rng.below(keys), rng.below(count)});
  return pairs;
}

template <class Sorter>
std::vector<Pair> drain(Sorter& sorter) {
  std::vector<Pair> all;
  for (Pair pair; sorter.next(pair);) all.push_back(pair);
  return all;
}

TEST(ExternalSort, EqualsASortInMemoryForAnyBudgetFanInAndNumberOfThreads) {
  const TempDir scratch;
  const std::vector<Pair> pairs = some_pairs(20000, 500);
  std::vector<Pair> expected = pairs;
  std::sort(expected.begin(), expected.end());
  for (const uint64_t memory : {uint64_t(256), uint64_t(5000), uint64_t(1) << 20})
    for (const size_t fan_in : {2, 7, 64})
      for (const int threads : {1, 2, 5}) {
        ExternalSorter<Pair> sorter(
            {.scratch = scratch.path(), .memory = memory, .threads = threads, .fan_in = fan_in});
        for (const Pair& pair : pairs) sorter.push(pair);
        EXPECT_EQ(sorter.size(), pairs.size());
        EXPECT_EQ(drain(sorter), expected) << memory << " " << fan_in << " " << threads;
        EXPECT_EQ(sorter.spilled_runs() > 0, memory < (1u << 20));
      }
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path())) << "runs have no name to be left behind";
}

TEST(ExternalSort, FewFilesAreOpenHoweverManyRunsThereAre) {
  const TempDir scratch;
  ExternalSorter<Pair> sorter({.scratch = scratch.path(), .memory = 256, .fan_in = 16});
  // 2000 runs of 16 records: more than the 1024 files a process may have open.
  const std::vector<Pair> pairs = some_pairs(32000, ~uint64_t(0));
  for (const Pair& pair : pairs) sorter.push(pair);
  std::vector<Pair> expected = pairs;
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(drain(sorter), expected);
  EXPECT_GT(sorter.spilled_runs(), 2000u);
}

TEST(ExternalSort, AnOrderOfOnesOwnAndNothingAtAll) {
  const TempDir scratch;
  const auto down = [](const Pair& a, const Pair& b) { return b < a; };
  ExternalSorter<Pair, decltype(down)> sorter({.scratch = scratch.path(), .memory = 64}, down);
  for (uint64_t i = 0; i < 100; ++i) sorter.push({i % 10, i});
  const auto all = drain(sorter);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end(), down));
  EXPECT_EQ(all.size(), 100u);
  ExternalSorter<Pair> empty({.scratch = scratch.path()});
  EXPECT_TRUE(drain(empty).empty());
}

TEST(ExternalSort, ScratchThatIsMissingIsAnErrorWithItsName) {
  ExternalSorter<Pair> sorter({.scratch = "/nowhere/at/all", .memory = 16});
  try {
    for (uint64_t i = 0; i < 100; ++i) sorter.push({i, i});
    FAIL() << "nothing was written";
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("/nowhere/at/all"), std::string::npos) << error.message();
  }
}

}  // namespace
}  // namespace helio::data
