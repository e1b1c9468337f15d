// Groups, profiles and the means over tasks.
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "eval/results.h"
#include "eval/statistics.h"

namespace helio::eval {
namespace {

std::string error_of(const std::function<void()>& run) {
  try {
    run();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(Selection, GroupsBecomeTasksWithTheirExamples) {
  const auto all = select_tasks({"h6", "kobest", "preference", "cloze@3"});
  ASSERT_EQ(all.tasks.size(), 13u);
  EXPECT_EQ(all.tasks[0].spec.name, "arc_challenge");
  EXPECT_EQ(all.tasks[0].shots, 25);
  EXPECT_EQ(all.tasks[6].shots, -1);
  EXPECT_EQ(all.tasks[12].shots, 3);
  ASSERT_EQ(all.groups.size(), 2u);
  EXPECT_EQ(all.groups[0].members.size(), 6u);
  EXPECT_EQ(all.groups[1].members[0], "kobest_boolq");
}

TEST(Selection, CommasAreSpaces) {
  const auto all = select_tasks({"h6,ifeval,eq_bench", "mt_bench,"});
  ASSERT_EQ(all.tasks.size(), 9u);
  EXPECT_EQ(all.tasks[6].spec.name, "ifeval");
  EXPECT_EQ(all.tasks[8].spec.name, "mt_bench");
}

TEST(Selection, WhatCannotBeMeantIsAnError) {
  EXPECT_NE(error_of([] { select_tasks({"mmlu", "mmlu"}); }), "");
  EXPECT_NE(error_of([] { select_tasks({"h6", "mmlu"}); }), "") << "5 and 0 examples";
  EXPECT_NE(error_of([] { select_tasks({"h6", "h6"}); }), "");
  EXPECT_NE(error_of([] { select_tasks({"h6@3"}); }), "");
  for (const char* bad : {"mmlu@", "mmlu@x", "mmlu@-1", "mmlu@99999"})
    EXPECT_NE(error_of([&] { select_tasks({bad}); }), "") << bad;
}

TEST(Profiles, ChangeWhatTheirVersionDoesOtherwise) {
  const TaskSpec mmlu = find_task("mmlu");
  EXPECT_TRUE(with_profile(mmlu, "current").description.ends_with(".\n\n"));
  EXPECT_TRUE(with_profile(mmlu, "evalverse").description.ends_with("}.\n"));
  EXPECT_EQ(with_profile(mmlu, "evalverse").reproduces.version, "0.4.2");
  EXPECT_EQ(with_profile(find_task("hellaswag"), "openllm-v1").shots.draw_extra, 0);
  EXPECT_EQ(with_profile(find_task("truthfulqa_mc2"), "evalverse").labels_rule,
            "before_first_false");
  EXPECT_EQ(with_profile(find_task("gsm8k"), "openllm-v1").answer.until[0], ":");
  EXPECT_NE(error_of([] { with_profile(find_task("kobest_wic"), "evalverse"); }), "");
  EXPECT_NE(error_of([&] { with_profile(mmlu, "newest"); }), "");
}

TEST(Statistics, MacroF1IsScikitLearns) {
  // f1_score([0,0,1,1,2,2,2,0], [0,1,1,1,2,3,2,2], average="macro") of scikit-learn
  EXPECT_NEAR(macro_f1({{0, 0}, {0, 1}, {1, 1}, {1, 1}, {2, 2}, {2, 3}, {2, 2}, {0, 2}}).value,
              0.4916666666666667, 1e-15);
}

TEST(Groups, HaveAMeanOnlyWhenAllHasRun) {
  SelectedGroup group{.spec = find_task("h6"), .members = {"a", "b"}};
  const OrderedJson tasks = {{{"name", "a"}, {"main_metric", "acc"}, {"metrics", {"acc"}}},
                             {{"name", "b"}, {"main_metric", "acc"}, {"metrics", {"acc"}}}};
  const auto ok = [](const char* task, double value, int64_t n) {
    return OrderedJson{{"model", "m"},
                       {"task", task},
                       {"status", "ok"},
                       {"n", n},
                       {"metrics", {{"acc", {{"value", value}, {"stderr", 0.1}}}}}};
  };
  OrderedJson results = {ok("a", 0.5, 10), ok("b", 0.7, 30)};
  auto json = group_json(group, tasks, results, "m");
  EXPECT_NEAR(json["metrics"]["main"]["value"].get<double>(), 0.6, 1e-12);
  EXPECT_NEAR(json["metrics"]["main"]["stderr"].get<double>(), 0.1 / std::sqrt(2.0), 1e-12);
  group.spec.weights = "size";
  json = group_json(group, tasks, results, "m");
  EXPECT_NEAR(json["metrics"]["main"]["value"].get<double>(), 0.65, 1e-12);
  results[1] = {{"model", "m"}, {"task", "b"}, {"status", "not_run"}, {"n", 0}};
  json = group_json(group, tasks, results, "m");
  EXPECT_TRUE(json["metrics"]["main"].is_null()) << "never a mean of what happened to run";
  EXPECT_EQ(json["members_run"], 1);
}

}  // namespace
}  // namespace helio::eval
