// Reading workspaces: what is missing, what is damaged, what is hostile.
#include <gtest/gtest.h>

#include <cstdlib>

#include "../support/temp_dir.h"
#include "core/error.h"
#include "core/fs.h"
#include "report/model.h"
#include "report/page.h"

namespace helio::report {
namespace {

constexpr const char* kHostile =
    "</title><script>alert('x')</script><img src=x onerror=alert(1)>\"'&";

class Workspace : public ::testing::Test {
 protected:
  void SetUp() override {
    write("state/.recipe.json",
          {{"name", "demo"}, {"about", "a demo"}, {"stages", OrderedJson::array()}});
  }

  void write(const std::string& path, const OrderedJson& json) {
    write_file_atomic(root_ / path, pretty(json));
  }
  void artefact(const std::string& folder, const std::string& kind,
                const OrderedJson& facts = OrderedJson::object()) {
    const std::string name = fs::path(folder).filename().string();
    write(folder + "/helio_manifest.json", {{"format", 1},
                                            {"kind", kind},
                                            {"name", name},
                                            {"content", "c-" + folder},
                                            {"made_by", "x"},
                                            {"helio", {{"version", "0"}, {"code", "k"}}},
                                            {"inputs", OrderedJson::array()},
                                            {"options", OrderedJson::object()},
                                            {"facts", facts},
                                            {"files", OrderedJson::array()}});
  }
  void stage(const std::string& name, const std::string& kind, const std::string& folder,
             const OrderedJson& written = OrderedJson::object(),
             const OrderedJson& inputs = OrderedJson::object()) {
    write("state/" + name + ".json", {{"stage", name},
                                      {"kind", kind},
                                      {"status", "done"},
                                      {"key", "k"},
                                      {"content", "c-" + folder},
                                      {"seconds", 2.0},
                                      {"peak_rss", 1000000},
                                      {"inputs", inputs},
                                      {"written", written}});
    Json recipe = load_json(root_ / "state/.recipe.json");
    recipe["stages"].push_back({{"name", name}, {"kind", kind}});
    write("state/.recipe.json", recipe);
  }
  Report read(std::vector<std::string> stages = {}) {
    return read_report({.workspace = root_, .stages = std::move(stages)});
  }
  std::string error_of() {
    try {
      read();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::invalid);
      return error.message();
    }
    return "";
  }

  const TempDir temp_;
  const fs::path root_ = temp_.path();
};

TEST_F(Workspace, ThatIsEmptyGivesAPageThatSaysSo) {
  const Report report = read();
  EXPECT_FALSE(report.seconds);
  const std::string page = render_page(report);
  EXPECT_NE(page.find("Not run in this workspace."), page.npos);
  EXPECT_NE(page.find(">—<"), page.npos);
}

TEST_F(Workspace, ThatDoesNotExistIsNotFound) {
  try {
    read_report({.workspace = root_ / "none"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
  }
}

TEST_F(Workspace, WithoutStateIsReadFromItsArtefacts) {
  fs::remove_all(root_ / "state");
  artefact("models/base", "model");
  const Report report = read();
  ASSERT_EQ(report.stages.size(), 1u);
  EXPECT_EQ(report.stages[0].name, "base");
  EXPECT_FALSE(report.stages[0].seconds);  // nobody measured it: not 0
}

TEST_F(Workspace, HostileTextNeverBecomesMarkup) {
  write("state/.recipe.json",
        {{"name", kHostile}, {"about", kHostile}, {"stages", OrderedJson::array()}});
  stage("corpus", "data run", "datasets/corpus");
  artefact("datasets/corpus", "dataset");
  write("datasets/corpus/dataset.json", {{"steps",
                                          {{{"step", kHostile},
                                            {"in", 2},
                                            {"out", 1},
                                            {"dropped", 1},
                                            {"changed", 0},
                                            {"reasons", {{kHostile, 1}}}}}},
                                         {"lots",
                                          {{{"lot", kHostile},
                                            {"partner", kHostile},
                                            {"language", kHostile},
                                            {"licence", kHostile},
                                            {"documents_in", 2}}}},
                                         {"languages", {{kHostile, 1}}},
                                         {"pii", {{kHostile, 3}}}});
  stage("scores", "eval run", "evals/scores");
  artefact("evals/scores", "evaluation");
  write(
      "evals/scores/results.json",
      {{"models", {{{"name", kHostile}}}},
       {"tasks",
        {{{"name", kHostile},
          {"about", kHostile},
          {"main_metric", kHostile},
          {"higher_is_better", true}}}},
       {"results",
        {{{"model", kHostile}, {"task", kHostile}, {"status", "not_run"}, {"reason", kHostile}}}}});
  stage("shares", "club statement", "statements/shares");
  artefact("statements/shares", "statement");
  write("statements/shares/statement.json",
        {{"pool", 5},
         {"currency", kHostile},
         {"partners", {{{"partner", kHostile}, {"amount", 5}}}}});
  const std::string page = render_page(read());
  EXPECT_EQ(page.find("<script>alert"), page.npos);
  EXPECT_EQ(page.find("<img"), page.npos);
  EXPECT_EQ(page.find("onerror=alert(1)>\""), page.npos);
  size_t scripts = 0;
  for (size_t at = page.find("<script"); at != page.npos; at = page.find("<script", at + 1))
    ++scripts;
  EXPECT_EQ(scripts, 1u);  // our own
}

TEST_F(Workspace, DamagedFilesAreNamed) {
  stage("corpus", "data run", "datasets/corpus");
  artefact("datasets/corpus", "dataset");
  write_file_atomic(root_ / "datasets/corpus/dataset.json", "{\"steps\": [");
  EXPECT_NE(error_of().find("datasets/corpus/dataset.json"), std::string::npos);
  write("datasets/corpus/dataset.json", {{"steps", {{{"step", "x"}, {"in", "many"}}}}});
  EXPECT_NE(error_of().find("steps[0]: 'in' must be a whole number"), std::string::npos);
  write("datasets/corpus/dataset.json", OrderedJson::object());
  EXPECT_EQ(error_of(), "");
  write_file_atomic(root_ / "state/corpus.json", "[]");
  EXPECT_NE(error_of().find("state/corpus.json"), std::string::npos);
}

TEST_F(Workspace, DamagedMetricsNameTheLine) {
  stage("base", "pretrain", "models/base");
  artefact("models/base", "model");
  write_file_atomic(root_ / "runs/base/metrics.jsonl",
                    "{\"step\":1,\"loss\":2}\n{\"step\":2,\"loss\":null}\n{\"loss\":3}\n");
  EXPECT_NE(error_of().find("metrics.jsonl:3"), std::string::npos);
  write_file_atomic(root_ / "runs/base/metrics.jsonl",
                    "{\"step\":1,\"loss\":2}\n{\"step\":2,\"loss\":null}\n");
  const Report report = read();
  ASSERT_EQ(report.runs.size(), 1u);
  EXPECT_EQ(report.runs[0].loss.size(), 1u);  // what was not finite is a gap
}

TEST_F(Workspace, ALayerMapThatPointsOutsideIsRefused) {
  stage("up", "upscale", "models/up", {{"model", "base"}});
  artefact("models/up", "model",
           {{"base_layers", 2},
            {"drop", 0},
            {"seam", 2},
            {"layer_map", {0, 1, 0, 7}},
            {"layer_copy", {1, 1, 2, 2}}});
  EXPECT_NE(error_of().find("layer_map"), std::string::npos);
}

TEST_F(Workspace, StagesKnowWhenTheyAreOutOfDate) {
  stage("lots", "club import", "lots/lots");
  artefact("lots/lots", "lots");
  stage("corpus", "data run", "datasets/corpus", {{"lots", "lots"}},
        {{"lots: lots", "c-lots/lots"}});
  artefact("datasets/corpus", "dataset");
  EXPECT_EQ(read().stages[1].status, StageInfo::Status::up_to_date);
  stage("corpus", "data run", "datasets/corpus", {{"lots", "lots"}},
        {{"lots: lots", "an older one"}});
  EXPECT_EQ(read().stages[1].status, StageInfo::Status::stale);
  fs::remove_all(root_ / "datasets/corpus");
  EXPECT_EQ(read().stages[1].status, StageInfo::Status::stale);
  fs::remove(root_ / "state/corpus.json");
  const StageInfo missing = read().stages[1];
  EXPECT_EQ(missing.status, StageInfo::Status::not_run);
  EXPECT_FALSE(missing.seconds);
}

TEST_F(Workspace, ShowsOnlyTheStagesAskedFor) {
  stage("lots", "club import", "lots/lots");
  artefact("lots/lots", "lots");
  stage("aligned", "align", "models/aligned");
  artefact("models/aligned", "models");
  artefact("models/aligned/step-1", "model");
  EXPECT_EQ(read().stages.size(), 2u);
  const Report one = read({(root_ / "models/aligned/step-1").string()});
  ASSERT_EQ(one.stages.size(), 1u);
  EXPECT_EQ(one.stages[0].name, "aligned");
}

TEST_F(Workspace, AStatementIsAddedUpAgain) {
  stage("shares", "club statement", "statements/shares");
  artefact("statements/shares", "statement");
  const auto state = [&](int64_t second) {
    write("statements/shares/statement.json",
          {{"pool", 100},
           {"currency", "KRW"},
           {"partners",
            {{{"partner", "a"}, {"amount", 60}}, {{"partner", "b"}, {"amount", second}}}}});
    return read();
  };
  const Report right = state(40), wrong = state(41);
  EXPECT_TRUE(right.statements[0].adds_up);
  EXPECT_FALSE(wrong.statements[0].adds_up);
  EXPECT_NE(render_page(right).find("add up to the pool of 100 KRW exactly"), std::string::npos);
  EXPECT_NE(render_page(wrong).find("do not add up"), std::string::npos);
}

TEST_F(Workspace, GivesTheSameBytesTwice) {
  stage("base", "pretrain", "models/base");
  artefact("models/base", "model");
  EXPECT_EQ(render_page(read()), render_page(read()));
  EXPECT_EQ(pretty(figures(read())), pretty(figures(read())));
}

}  // namespace
}  // namespace helio::report
