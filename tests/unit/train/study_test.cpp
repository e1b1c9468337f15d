#include "train/study/study.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "../support/temp_dir.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/lines.h"
#include "train/study/loss_curve.h"
#include "train/study/preference_sources.h"
#include "train/study/statistics.h"
#include "train/study/variants.h"

namespace helio::train {
namespace {

TEST(StudyStatistics, IntervalsAreStudents) {
  // Two-sided 95 % quantiles of any table.
  EXPECT_NEAR(student_t95(1), 12.7062, 1e-4);
  EXPECT_NEAR(student_t95(2), 4.30265, 1e-5);
  EXPECT_NEAR(student_t95(9), 2.26216, 1e-5);
  const Spread spread = spread_of({1, 2, 3});
  EXPECT_DOUBLE_EQ(spread.mean, 2);
  EXPECT_DOUBLE_EQ(*spread.deviation, 1);
  EXPECT_NEAR(*spread.high - spread.mean, 4.30265 / std::sqrt(3.0), 1e-5);
  EXPECT_NEAR(spread.mean - *spread.low, 4.30265 / std::sqrt(3.0), 1e-5);
}

TEST(StudyStatistics, OneValueHasNoInterval) {
  const Spread one = spread_of({0.5});
  EXPECT_EQ(one.n, 1);
  EXPECT_FALSE(one.low || one.high || one.deviation);
  EXPECT_TRUE(spread_of({}).json()["mean"].is_null());
}

class Studies : public testing::Test {
 protected:
  StudyCell cell(const std::string& variant, std::optional<int64_t> seed, const OrderedJson& loss) {
    return {.variant = variant,
            .seed = seed,
            .key = variant + (seed ? std::to_string(*seed) : ""),
            .run = [this, loss](const fs::path& dir) {
              ++runs_;
              make_dirs(dir);
              return OrderedJson{{"figures", {{"loss", loss}}}};
            }};
  }
  StudyPlan plan() {
    return {.title = "T",
            .out = dir_ / "study",
            .baseline = "dpo",
            .figures = {{"loss", "loss", 2}},
            .cells = {cell("start", {}, 3.0), cell("dpo", 1, 1.0), cell("sdpo", 1, 1.5),
                      cell("dpo", 2, 2.0), cell("sdpo", 2, 2.5)}};
  }
  const OrderedJson& row(const OrderedJson& study, const char* list, const std::string& variant) {
    for (const auto& row : study.at(list))
      if (row.at("variant") == variant) return row.at("figures").at("loss");
    throw Error(ErrorKind::internal, "no variant " + variant);
  }

  TempDir dir_;
  SilentMonitor monitor_;
  StopRequest stop_;
  int runs_ = 0;
};

TEST_F(Studies, MeansAndPairedDifferences) {
  const OrderedJson study = run_study(plan(), monitor_, stop_);
  EXPECT_EQ(study["complete"], true);
  EXPECT_DOUBLE_EQ(row(study, "variants", "sdpo")["mean"], 2.0);
  // The deviation of a variant is large, that of the difference by seed is none.
  EXPECT_DOUBLE_EQ(row(study, "differences", "sdpo")["mean"], 0.5);
  EXPECT_DOUBLE_EQ(row(study, "differences", "sdpo")["deviation"], 0.0);
  // A cell without a seed stands beside every seed.
  EXPECT_EQ(row(study, "differences", "start")["n"], 2);
  EXPECT_DOUBLE_EQ(row(study, "differences", "start")["mean"], 1.5);
  EXPECT_TRUE(row(study, "variants", "start")["low"].is_null());
  const std::string text = read_file(dir_ / "study/study.md");
  EXPECT_NE(text.find("| sdpo | 2 | 2.00 ["), text.npos) << text;
  EXPECT_NE(text.find("Differences from dpo"), text.npos);
}

TEST_F(Studies, WhatIsDoneIsNotRepeatedUnlessItsKeyChanged) {
  StudyPlan cut = plan();
  cut.cells[3].run = [](const fs::path&) -> OrderedJson {
    throw Error(ErrorKind::interrupted, "stopped");
  };
  EXPECT_THROW(run_study(cut, monitor_, stop_), Error);
  EXPECT_EQ(runs_, 3);
  const OrderedJson part = load_json(dir_ / "study/study.json");
  EXPECT_EQ(part["runs_done"], 3);
  EXPECT_EQ(part["complete"], false);
  run_study(plan(), monitor_, stop_);
  EXPECT_EQ(runs_, 5);
  StudyPlan changed = plan();
  changed.cells[1].key = "another beta";
  EXPECT_FALSE(finished_cell(changed, changed.cells[1]));
  EXPECT_TRUE(finished_cell(changed, changed.cells[2]));
  run_study(changed, monitor_, stop_);
  EXPECT_EQ(runs_, 6);
}

TEST_F(Studies, WhatWasNotReachedIsCountedAndNotAveraged) {
  StudyPlan missing = plan();
  missing.cells[4] = cell("sdpo", 2, nullptr);
  const OrderedJson study = run_study(missing, monitor_, stop_);
  EXPECT_DOUBLE_EQ(row(study, "variants", "sdpo")["mean"], 1.5);
  EXPECT_EQ(row(study, "variants", "sdpo")["missing"], 1);
  EXPECT_EQ(row(study, "differences", "sdpo")["n"], 1);
  EXPECT_NE(study_table(study).find("| 1.50 (1 of 2) |"), std::string::npos);
}

TEST_F(Studies, RefuseWhatHasNoMeaning) {
  StudyPlan twice = plan();
  twice.cells.push_back(twice.cells[1]);
  EXPECT_THROW(run_study(twice, monitor_, stop_), Error);
  StudyPlan without = plan();
  without.baseline = "ppo";
  EXPECT_THROW(run_study(without, monitor_, stop_), Error);
  write_file_atomic(dir_ / "other/thesis.txt", "mine");
  EXPECT_THROW(check_study_folder(dir_ / "other"), Error);
  EXPECT_EQ(runs_, 0);
}

TEST(LossCurves, TokensAreReadOffTheLine) {
  const std::vector<LossPoint> curve = {{0, 5}, {100, 4}, {200, 3.5}, {300, 3.6}};
  EXPECT_DOUBLE_EQ(*tokens_to_reach(curve, 4.5), 50);
  EXPECT_DOUBLE_EQ(*tokens_to_reach(curve, 3.75), 150);
  EXPECT_DOUBLE_EQ(*tokens_to_reach(curve, 6), 0);  // better from the start
  EXPECT_FALSE(tokens_to_reach(curve, 3.4));
  EXPECT_FALSE(tokens_to_reach({}, 3.4));
}

TEST(LossCurves, AreReadFromMetrics) {
  const TempDir dir;
  write_file_atomic(dir / "metrics.jsonl",
                    "{\"step\":0,\"eval/loss\":5.0}\n{\"step\":1,\"loss\":4.9}\n"
                    "{\"step\":2,\"eval/loss\":4.0}\n{\"step\":2,\"eval/loss\":4.5}\n");
  const auto curve = read_loss_curve(dir / "metrics.jsonl", 64);
  ASSERT_EQ(curve.size(), 2u);
  EXPECT_DOUBLE_EQ(curve[1].tokens, 128);
  EXPECT_DOUBLE_EQ(curve[1].loss, 4.5);
}

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(StudyVariants, AreReadWithTheirPlaceInTheRecipe) {
  const auto read = [](const std::string& text) {
    return read_variants(parse_yaml(text, "r.yaml"), {"align", "sft"}, {"model"});
  };
  const auto variants = read("dpo: {}\nsft: {command: sft, train: {lr: 1}}\nplain:\n");
  ASSERT_EQ(variants.size(), 3u);
  EXPECT_EQ(variants[0].command, "align");
  EXPECT_EQ(variants[1].command, "sft");
  EXPECT_EQ(variants[1].overrides.find("command"), nullptr);
  EXPECT_NE(error_of([&] { read("a: {command: ppo}"); }).find("r.yaml:1:14"), std::string::npos);
  EXPECT_NE(error_of([&] { read("a: {model: x}"); }).find("r.yaml:1:5"), std::string::npos);
  EXPECT_NE(error_of([&] { read("../up: {}"); }).find("cannot name"), std::string::npos);
  EXPECT_NE(error_of([&] { read("[]"); }).find("no variant"), std::string::npos);
}

TEST(StudyVariants, SeedsAreWholeAndDifferent) {
  EXPECT_EQ(read_seeds({3, 1}), (std::vector<int64_t>{3, 1}));
  EXPECT_NE(error_of([] { read_seeds({1, 1}); }), "");
  EXPECT_NE(error_of([] { read_seeds({0.5}); }), "");
  EXPECT_NE(error_of([] { read_seeds({std::numeric_limits<double>::quiet_NaN()}); }), "");
  EXPECT_NE(error_of([] { read_seeds({}); }), "");
}

class StudySources : public testing::Test {
 protected:
  void write(const std::string& name, const std::vector<std::string>& prompts) {
    std::string lines;
    for (const auto& prompt : prompts)
      lines += compact({{"prompt", prompt}, {"chosen", "yes"}, {"rejected", "no"}}) + "\n";
    write_file_atomic(dir_ / name, lines);
  }
  std::vector<std::string> prompts(const std::string& name) {
    std::vector<std::string> found;
    read_jsonl(dir_ / name, [&](const Json& row, int64_t) {
      found.push_back(row.at("prompt").get<std::string>());
    });
    std::sort(found.begin(), found.end());
    return found;
  }
  std::string path(const std::string& name) { return (dir_ / name).string(); }
  TempDir dir_;
};

TEST_F(StudySources, NoPromptStandsInTwoOfThem) {
  write("held.jsonl", {"alpha", "beta"});
  write("one.jsonl", {"ALPHA ", "gamma", "delta"});
  write("two.jsonl", {"gamma", "epsilon", "epsilon", "zeta"});
  const auto facts =
      write_study_data({.sources = {{"D1", {path("one.jsonl")}}, {"D2", {path("two.jsonl")}}},
                        .heldout = path("held.jsonl"),
                        .seeds = {1}},
                       dir_ / "data");
  EXPECT_EQ(facts["sources"][0]["shared_prompts"], 1);
  EXPECT_EQ(facts["sources"][1]["shared_prompts"], 1);
  EXPECT_EQ(prompts("data/pairs-1.jsonl"),
            (std::vector<std::string>{"delta", "epsilon", "epsilon", "gamma", "zeta"}));
  EXPECT_EQ(prompts("data/heldout.jsonl"), (std::vector<std::string>{"alpha", "beta"}));
}

TEST_F(StudySources, AreDrawnAnewForEverySeed) {
  std::vector<std::string> many;
  for (int i = 0; i < 40; ++i) many.push_back("prompt " + std::to_string(i));
  write("held.jsonl", {"alpha", "beta", "gamma"});
  write("one.jsonl", many);
  const StudyData data{.sources = {{"D1", {path("one.jsonl")}}},
                       .heldout = path("held.jsonl"),
                       .seeds = {1, 2},
                       .pairs_per_source = 10,
                       .heldout_pairs = 2};
  write_study_data(data, dir_ / "a");
  write_study_data(data, dir_ / "b");
  EXPECT_EQ(prompts("a/pairs-1.jsonl").size(), 10u);
  EXPECT_EQ(prompts("a/heldout.jsonl").size(), 2u);
  EXPECT_NE(prompts("a/pairs-1.jsonl"), prompts("a/pairs-2.jsonl"));
  for (const char* name : {"pairs-1.jsonl", "pairs-2.jsonl", "chats-1.jsonl", "heldout.jsonl"})
    EXPECT_EQ(read_file(dir_ / "a" / name), read_file(dir_ / "b" / name)) << name;
}

TEST_F(StudySources, ASourceWithNothingLeftIsAnError) {
  write("held.jsonl", {"alpha"});
  write("one.jsonl", {"alpha"});
  EXPECT_NE(
      error_of([&] {
        write_study_data(
            {.sources = {{"D1", {path("one.jsonl")}}}, .heldout = path("held.jsonl"), .seeds = {1}},
            dir_ / "data");
      }).find("no pair of source 'D1'"),
      std::string::npos);
}

}  // namespace
}  // namespace helio::train
