// Checkpoints written beside training: what they hold, in what order they come, and what a failed
// one does.
#include "train/checkpoint_writer.h"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include "core/error.h"
#include "core/fs.h"
#include "support.h"

namespace helio::train {
namespace {

using Way = CheckpointWriter::Way;

class Writers : public testing::Test {
 protected:
  CheckpointWriter::Content content(double value) {
    return {.weights = {{"w", weight_.fill_(value)}}, .optimizer = {{"m", at::full({3}, value)}}};
  }
  double saved(int64_t step) const {
    const checkpoint::SafeTensors file(dir_ / "checkpoints" / ("step-" + std::to_string(step)) /
                                       "model.safetensors");
    return nn::read_tensor(file, file.at("w")).mean().item<double>();
  }

  TempDir dir_;
  at::Tensor weight_ = at::zeros({1000, 1000});
  Checkpoints checkpoints_{dir_.path(), "key"};
  SilentMonitor monitor_;
};

TEST_F(Writers, KeepWhatStoodThereWhenSaveWasCalled) {
  CheckpointWriter writer(checkpoints_);
  for (int64_t step = 1; step <= 3; ++step) {
    writer.save(step, {{"step", step}}, content(static_cast<double>(step)), Way::beside);
    weight_.fill_(-1);  // the next step, while the checkpoint is written
    writer.check();
  }
  writer.wait();
  EXPECT_EQ(saved(2), 2);
  EXPECT_EQ(saved(3), 3);
  const auto found = checkpoints_.latest(monitor_);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->step, 3);
  EXPECT_EQ(found->state.at("step"), 3);
  EXPECT_FALSE(fs::exists(dir_ / "checkpoints" / "step-1"));  // two are kept
}

TEST_F(Writers, OneThatIsLeftIsFinishedFirst) {
  { CheckpointWriter(checkpoints_).save(7, {}, content(7), Way::beside); }
  EXPECT_EQ(saved(7), 7);
}

TEST_F(Writers, AFailedOneIsToldAtTheNextStepAndLeavesNothing) {
  CheckpointWriter writer(checkpoints_);
  writer.save(1, {}, content(1), Way::beside);
  writer.wait();
  fs::remove_all(dir_ / "checkpoints");
  write_file_atomic(dir_ / "checkpoints", "a file where the folder was");
  writer.save(2, {}, content(2), Way::beside);
  std::string text;
  try {
    writer.wait();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    text = error.what();
  }
  EXPECT_NE(text.find("saving the checkpoint of step 2"), std::string::npos) << text;
  EXPECT_NO_THROW(writer.wait());  // told once
}

TEST_F(Writers, GoAtOnceWithoutMemoryForACopy) {
  const CheckpointWriter writer(checkpoints_);
  EXPECT_EQ(writer.way_for(content(1)), Way::beside);
  const at::Tensor endless = at::zeros({1}).expand({int64_t(1) << 44});
  EXPECT_EQ(writer.way_for({.weights = {{"endless", endless}}}), Way::at_once);
  EXPECT_GT(memory_to_spare(), int64_t(1) << 20);
}

}  // namespace
}  // namespace helio::train
