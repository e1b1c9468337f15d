#include "core/options.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace helio {
namespace {

struct Train {
  double lr = 1e-3;
  int64_t steps = 10;
  std::string schedule = "cosine";
  void describe(Fields& f) {
    f("lr", lr, "Rate.", between(0, 1));
    f("steps", steps, "Steps.", at_least(1));
    f("schedule", schedule, "Shape.", one_of({"cosine", "linear"}));
  }
};

struct Options {
  std::string name = {};
  bool tied = true;
  std::vector<std::string> tasks = {"a"};
  Node steps = {};
  Train train = {};
  std::string out = {};
  void describe(Fields& f) {
    f("name", name, "Name.");
    f("tied", tied, "Tied.");
    f("tasks", tasks, "Tasks.");
    f.raw("steps", steps, "Steps.");
    f.section("train", train, "Training.");
    f.output("out", out, "models", "Result.");
  }
};

std::string error_of(const std::string& yaml) {
  Options options;
  try {
    read_options(parse_yaml(yaml, "r.yaml"), describe(options));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid);
    return error.what();
  }
  return "no error";
}

TEST(Options, ReadEveryKindOfValue) {
  Options options;
  read_options(parse_yaml("name: base\ntied: false\ntasks: [x, y]\nsteps: [{op: a}]\n"
                          "train: {lr: 1e-4, steps: 2e3, schedule: linear}\n",
                          "r.yaml"),
               describe(options));
  EXPECT_EQ(options.name, "base");
  EXPECT_FALSE(options.tied);
  EXPECT_EQ(options.tasks, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(options.steps.items().size(), 1u);
  EXPECT_DOUBLE_EQ(options.train.lr, 1e-4);  // PyYAML would read this as text
  EXPECT_EQ(options.train.steps, 2000);
}

TEST(Options, UnknownKeysNameTheirPlaceAndTheNearestKey) {
  const std::string what = error_of("name: x\ntrain:\n  learing: 1\n");
  EXPECT_NE(what.find("r.yaml:3:3: unknown key 'learing'"), std::string::npos) << what;
  EXPECT_NE(error_of("train: {stpes: 3}").find("did you mean 'steps'?"), std::string::npos);
}

TEST(Options, WrongTypesAndRangesNameTheirPlace) {
  EXPECT_NE(error_of("train: {lr: fast}").find("r.yaml:1:13: 'lr' must be a number, not 'fast'"),
            std::string::npos);
  EXPECT_NE(error_of("train: {lr: 2}").find("must be between 0.0 and 1.0"), std::string::npos);
  EXPECT_NE(error_of("train: {steps: 1.5}").find("must be a whole number"), std::string::npos);
  EXPECT_NE(error_of("train: {schedule: cosin}").find("did you mean 'cosine'?"), std::string::npos);
  EXPECT_NE(error_of("tied: yes").find("true or false"), std::string::npos);
  EXPECT_NE(error_of("name: [1]").find("must be text, not a list"), std::string::npos);
  EXPECT_NE(error_of("train: 3").find("must be a section"), std::string::npos);
}

TEST(Options, RepeatedKeysAndBrokenYamlAreErrors) {
  EXPECT_NE(error_of("name: a\nname: b\n").find("r.yaml:2:1: key 'name' appears twice"),
            std::string::npos);
  EXPECT_NE(error_of("name: [a\n").find("not valid YAML"), std::string::npos);
  std::string deep;
  for (int i = 0; i < 500; ++i) deep += "[";
  EXPECT_NE(error_of("steps: " + deep).find("r.yaml"), std::string::npos);
}

TEST(Options, SchemaAndJsonFollowFromTheSameDescription) {
  Options options;
  const auto schema = options_schema(describe(options));
  EXPECT_EQ(schema["properties"]["train"]["properties"]["lr"]["maximum"], 1.0);
  EXPECT_EQ(schema["additionalProperties"], false);
  const auto json = options_json(describe(options));
  EXPECT_EQ(json["train"]["schedule"], "cosine");
  const auto fields = options_fields(describe(options));
  EXPECT_EQ(fields[4].name, "train.lr");
  EXPECT_EQ(fields.back().place, "models");
}

TEST(Node, MergesKeyByKey) {
  Node tree = parse_yaml("a: {b: 1, c: 2}\nd: [1]\n", "x");
  tree.merge(parse_yaml("a: {c: 3}\nd: [2, 3]\n", "y"));
  tree.set_path("a.e.f", Node::scalar("9", {.source = "--a.e.f"}));
  EXPECT_EQ(tree.json().dump(), R"({"a":{"b":1,"c":3,"e":{"f":9}},"d":[2,3]})");
}

TEST(Node, QuotedNumbersAreText) {
  const Node tree = parse_yaml("a: \"8\"\nb: 8\nc: 0x10\nd: 1e3\n", "x");
  EXPECT_EQ(tree.json().dump(), R"({"a":"8","b":8,"c":"0x10","d":1000.0})");
}

}  // namespace
}  // namespace helio
