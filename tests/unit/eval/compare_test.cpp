// Paired comparisons: figures beside scipy's, and what may not be compared.
#include "eval/compare.h"

#include <gtest/gtest.h>

#include "../support/temp_dir.h"
#include "core/error.h"

namespace helio::eval {
namespace {

std::vector<PairedItem> items(int both, int only_a, int only_b, int neither) {
  std::vector<PairedItem> out;
  const auto add = [&](int count, double a, double b) {
    for (int i = 0; i < count; ++i)
      out.push_back({.doc = std::to_string(out.size()), .a = a, .b = b});
  };
  add(both, 1, 1);
  add(only_a, 1, 0);
  add(only_b, 0, 1);
  add(neither, 0, 0);
  return out;
}

TEST(Compare, McNemarIsTheExactSignTest) {
  const auto r = compare_items(items(50, 5, 15, 30), {});
  EXPECT_TRUE(r.binary);
  EXPECT_NEAR(r.difference, 0.10, 1e-12);
  // scipy.stats.binomtest(5, 20).pvalue
  EXPECT_NEAR(r.p_value, 0.04138946533203125, 1e-12);
  EXPECT_EQ(r.only_a.size(), 5u);
  EXPECT_EQ(r.only_b.size(), 15u);
  EXPECT_EQ(r.only_a[0], "50");
  EXPECT_EQ(compare_items(items(5, 0, 0, 5), {}).p_value, 1);
}

TEST(Compare, TheIntervalIsThatOfThePairedDifference) {
  const auto r = compare_items(items(500, 50, 150, 300), {.resamples = 4000});
  // sd of a difference: sqrt((b + c)/n - d^2) / sqrt(n) = 0.01378
  EXPECT_NEAR(r.low, 0.1 - 1.96 * 0.01378, 0.004);
  EXPECT_NEAR(r.high, 0.1 + 1.96 * 0.01378, 0.004);
  const auto same = compare_items(items(500, 50, 150, 300), {.resamples = 4000});
  EXPECT_EQ(r.low, same.low);
}

TEST(Compare, WeightsMakeARatio) {
  const auto r = compare_items({{"0", 10, 8, 4}, {"1", 6, 6, 4}}, {.resamples = 200});
  EXPECT_FALSE(r.binary);
  EXPECT_DOUBLE_EQ(r.a, 2);
  EXPECT_DOUBLE_EQ(r.b, 1.75);
}

void write(TempDir& dir, const std::string& name, const std::string& settings,
           const std::string& status, const std::vector<int>& right) {
  dir.write(
      name + "/results.json",
      R"({"models":[{"name":"org/m"}],"tasks":[{"name":"t","main_metric":"acc_norm","settings":)" +
          settings + R"(}],"results":[{"model":"org/m","task":"t","status":")" + status +
          R"("}]})");
  std::string lines;
  for (size_t i = 0; i < right.size(); ++i)
    lines += R"({"doc":")" + std::to_string(i) + R"(","correct":false,"correct_norm":)" +
             (right[i] ? "true" : "false") + "}\n";
  dir.write(name + "/samples/t.org.m.jsonl", lines + R"({"doc":"9","unscorable":true})");
}

TEST(Compare, ReadsEvaluationsAndSaysWhatItCannotCompare) {
  TempDir dir;
  write(dir, "a", R"({"shots":5})", "ok", {1, 1, 0});
  write(dir, "b", R"({"shots":5})", "ok", {1, 0, 0});
  write(dir, "c", R"({"shots":0})", "ok", {1, 0, 0});
  write(dir, "d", R"({"shots":5})", "not_run", {});
  const auto compared = [&](const char* one, const char* other) {
    return compare_evaluations({.folder = dir.path() / one}, {.folder = dir.path() / other},
                               {.resamples = 200})
        .at("tasks")[0];
  };
  const auto task = compared("a", "b");
  EXPECT_EQ(task.at("n"), 3);
  EXPECT_EQ(task.at("only_a").dump(), R"(["1"])");
  EXPECT_NEAR(task.at("difference").get<double>(), -1.0 / 3, 1e-12);
  EXPECT_TRUE(compared("a", "c").contains("not_compared")) << "5 and 0 examples";
  EXPECT_TRUE(compared("a", "d").contains("not_compared"));
  EXPECT_THROW(compared("a", "nothing"), Error);
  EXPECT_THROW(compare_evaluations({.folder = dir.path() / "a", .model = "x"},
                                   {.folder = dir.path() / "b"}, {}),
               Error);
}

}  // namespace
}  // namespace helio::eval
