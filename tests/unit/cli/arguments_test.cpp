#include "cli/arguments.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "../support/temp_dir.h"
#include "core/error.h"
#include "core/fs.h"

namespace helio::cli {

// This test program has no commands of its own.
const std::vector<CommandEntry>& commands() {
  static const std::vector<CommandEntry> none;
  return none;
}

namespace {

class Sample final : public Command {
 public:
  Card card() const override {
    return {.positional = {"model", "files"}, .repeated = {"drafts"}, .required = {"model"}};
  }
  void describe(Fields& f) override {
    f.input("model", model, "Model.");
    f("files", files, "Files.");
    f("drafts", drafts, "Drafts.");
    f("max_length", max_length, "Length.", at_least(1));
    f("tied", tied, "Tied.");
    f("test_lr", lr, "Rate.");
    f("n", n, "Number.", at_least(1));
  }
  int run(Context&) override { return 0; }
  std::string model = {};
  std::vector<std::string> files = {}, drafts = {};
  int64_t max_length = 5;
  bool tied = true;
  double lr = 0;
  int64_t n = 1;
};

Sample read(const std::vector<std::string>& words) {
  Sample sample;
  const auto fields = options_fields([&](Fields& f) { sample.describe(f); });
  read_command(sample, parse_arguments(words, fields, sample.card()));
  return sample;
}

TEST(Arguments, FlagsPositionsAndLists) {
  const Sample s = read({"m", "a", "b", "--max-length=7", "--no-tied", "--test-lr", "-1e-3"});
  EXPECT_EQ(s.model, "m");
  EXPECT_EQ(s.files, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(s.max_length, 7);
  EXPECT_FALSE(s.tied);
  EXPECT_DOUBLE_EQ(s.lr, -1e-3);
  EXPECT_EQ(read({"--model", "8", "--files", "x", "y", "--tied", "false"}).files.size(), 2u);
  EXPECT_EQ(read({"8"}).model, "8");  // text stays text
  EXPECT_EQ(read({"m", "-n", "4", "--", "-n"}).n, 4);
  EXPECT_EQ(read({"m", "-n=4", "--", "-n"}).files, (std::vector<std::string>{"-n"}));
}

TEST(Arguments, ARepeatedFlagTakesOneWordEachTime) {
  const Sample s = read({"--drafts", "d", "m", "a", "--drafts=e", "b", "--drafts", "f"});
  EXPECT_EQ(s.model, "m");
  EXPECT_EQ(s.files, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(s.drafts, (std::vector<std::string>{"d", "e", "f"}));
}

TEST(Arguments, FlagBeatsEnvironmentBeatsFileBeatsDefault) {
  const TempDir dir;
  const fs::path file = dir.write("arguments.yaml", "max_length: 2\ntest_lr: 0.5\nmodel: f\n");
  setenv("HELIO_TEST_LR", "0.25", 1);
  const Sample s = read({"--config", file.string(), "--max-length", "3"});
  unsetenv("HELIO_TEST_LR");
  EXPECT_EQ(s.max_length, 3);
  EXPECT_DOUBLE_EQ(s.lr, 0.25);
  EXPECT_EQ(s.model, "f");
  EXPECT_TRUE(s.tied);
}

void expect_usage(const std::vector<std::string>& words, const std::string& part) {
  try {
    read(words);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage) << error.what();
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(Arguments, MistakesAreUsageErrorsWithTheNearestFlag) {
  expect_usage({"m", "--max-lenght", "3"}, "did you mean --max-length?");
  expect_usage({"m", "--max-length"}, "--max-length needs a value");
  expect_usage({"m", "--max-length", "0"}, "at least 1");
  expect_usage({"m", "--max-length", "many"}, "must be a whole number");
  expect_usage({}, "missing model");
}

}  // namespace
}  // namespace helio::cli
