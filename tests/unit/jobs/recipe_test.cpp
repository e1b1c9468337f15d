#include "jobs/recipe.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "../support/temp_dir.h"
#include "core/error.h"
#include "core/fs.h"

namespace helio::jobs {
namespace {

struct Make final : Described {
  std::string from = {}, out = {};
  int64_t size = 1;
  void describe(Fields& f) override {
    f.input("from", from, "Source.");
    f("size", size, "Size.", at_least(1));
    f.output("out", out, "models", "Result.");
  }
};

std::vector<StageKind> kinds() {
  return {{.name = "make", .module = "core", .make = [] { return std::make_unique<Make>(); }}};
}

Recipe load(const std::string& yaml, const Node& over = {}) {
  const TempDir dir;
  return load_recipe(dir.write("recipe.yaml", yaml), "/w", over, kinds());
}

std::string error_of(const std::string& yaml) {
  try {
    load(yaml);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Recipe, NamesBecomePathsAndEdges) {
  const Recipe recipe = load(
      "name: r\ninputs: {text: /data/text}\nstages:\n"
      "  a: {kind: make, from: text/x.json}\n"
      "  b: {kind: make, from: a, size: 3}\n"
      "  c: {kind: make, from: b/step-1}\n");
  EXPECT_EQ(recipe.stages[0].inputs[0].path, "/data/text/x.json");
  EXPECT_EQ(recipe.stages[1].inputs[0].stage, 0);
  EXPECT_EQ(recipe.stages[2].inputs[0].path, "/w/models/b/step-1");
  EXPECT_EQ(recipe.stages[1].outputs[0].path, "/w/models/b");
  // The key of a stage must not depend on where the workspace is.
  EXPECT_EQ(recipe.stages[1].written.dump(), R"({"from":"a","size":3})");
}

TEST(Recipe, FlagsLieOnTop) {
  Node over = Node::map({.source = "--set"});
  over.set_path("stages.a.size", Node::scalar("9", {.source = "--set"}));
  EXPECT_EQ(load("stages: {a: {kind: make}}", over).stages[0].written["size"], 9);
}

TEST(Recipe, ErrorsNameThePlace) {
  EXPECT_NE(error_of("stages:\n  a: {kind: mak}\n").find(":2:3: no stage kind 'mak'"),
            std::string::npos);
  EXPECT_NE(error_of("stages:\n  a: {kind: make, siz: 2}\n").find("did you mean 'size'?"),
            std::string::npos);
  EXPECT_NE(error_of("stages:\n  a: {kind: make, size: 0}\n").find("at least 1"),
            std::string::npos);
  // A later stage is not an input: order is the order of work.
  EXPECT_NE(error_of("stages:\n  a: {kind: make, from: b}\n  b: {kind: make}\n")
                .find("names no earlier stage"),
            std::string::npos);
  EXPECT_NE(error_of("stages: {a/b: {kind: make}}").find("folder's name"), std::string::npos);
  EXPECT_NE(error_of("name: x").find("needs stages"), std::string::npos);
}

}  // namespace
}  // namespace helio::jobs
