#include "train/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

namespace helio::train {
namespace {

// transformers 5.23, get_linear_schedule_with_warmup(num_warmup_steps=3, num_training_steps=10),
// base 2.0
TEST(Schedule, LinearIsTransformers) {
  const Schedule schedule(
      {.shape = "linear", .peak = 2.0, .min_ratio = 0, .warmup_ratio = 0.25, .steps = 10});
  EXPECT_EQ(schedule.warmup_steps(), 3);
  const double expected[] = {0,        2.0 / 3, 4.0 / 3, 2.0,     12.0 / 7,
                             10.0 / 7, 8.0 / 7, 6.0 / 7, 4.0 / 7, 2.0 / 7};
  for (int64_t step = 1; step <= 10; ++step)
    EXPECT_NEAR(schedule.at(step), expected[step - 1], 1e-12) << "step " << step;
}

TEST(Schedule, CosineFallsFromThePeakTowardsTheFloor) {
  const Schedule schedule(
      {.shape = "cosine", .peak = 1.0, .min_ratio = 0.1, .warmup_ratio = 0, .steps = 4});
  EXPECT_DOUBLE_EQ(schedule.at(1), 1.0);
  EXPECT_NEAR(schedule.at(3), 0.55, 1e-12);  // half way
  EXPECT_NEAR(schedule.at(4), 0.1 + 0.9 * 0.5 * (1 + std::cos(0.75 * M_PI)), 1e-12);
  EXPECT_NEAR(schedule.at(5), 0.1, 1e-12);
  EXPECT_NEAR(schedule.at(50), 0.1, 1e-12);  // and stays there
}

// transformers 5.23, get_wsd_schedule(num_warmup_steps=1, num_decay_steps=4, num_training_steps=10,
// decay_type="1-sqrt"), base 2.0
TEST(Schedule, WsdIsTransformers) {
  const Schedule schedule({.shape = "wsd",
                           .peak = 2.0,
                           .min_ratio = 0,
                           .warmup_ratio = 0.1,
                           .decay_ratio = 0.4,
                           .steps = 10});
  const double expected[] = {
      0, 2, 2, 2, 2, 2, 2, 1, 2 * (1 - std::sqrt(0.5)), 2 * (1 - std::sqrt(0.75))};
  for (int64_t step = 1; step <= 10; ++step)
    EXPECT_NEAR(schedule.at(step), expected[step - 1], 1e-12) << "step " << step;
  EXPECT_NEAR(schedule.at(11), 0, 1e-12);
}

TEST(Schedule, ConstantWarmsUpAndStays) {
  const Schedule schedule({.shape = "constant", .peak = 4.0, .warmup_ratio = 0.5, .steps = 4});
  EXPECT_DOUBLE_EQ(schedule.at(1), 0);
  EXPECT_DOUBLE_EQ(schedule.at(2), 2);
  EXPECT_DOUBLE_EQ(schedule.at(3), 4);
  EXPECT_DOUBLE_EQ(schedule.at(4), 4);
}

}  // namespace
}  // namespace helio::train
