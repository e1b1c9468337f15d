// Prompts are lm-evaluation-harness's byte for byte: made-up documents as text, real ones by hash.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "core/lines.h"
#include "eval/choices.h"
#include "fake_model.h"
#include "text/utf8.h"

namespace helio::eval {
namespace {

const fs::path kFixtures = fs::path(HELIO_SOURCE_DIR) / "tests/fixtures/mc_requests";

// Folders with the real benchmarks, in both layouts; none of them need exist.
std::vector<fs::path> benchmark_folders() {
  std::vector<fs::path> out;
  for (const char* variable : {"HELIO_BENCHMARKS", "HELIO_BENCHMARKS_ARROW"})
    if (const char* folder = std::getenv(variable); folder && fs::is_directory(folder))
      out.push_back(folder);
  for (const fs::path& folder : {fs::path("/work/shared/data/benchmarks"),
                                 fs::path(HELIO_SOURCE_DIR) / "workspace/sources/benchmarks"})
    if (out.empty() && fs::is_directory(folder)) out.push_back(folder);
  return out;
}

std::string digest(const Ask& ask, size_t digits) {
  return sha256_hex(ask.context + "\x1f" + ask.continuation).substr(0, digits);
}

std::vector<Json> lines_of(const fs::path& path) {
  std::vector<Json> rows;
  read_jsonl(path, [&](const Json& row, int64_t) { rows.push_back(row); });
  return rows;
}

const ChoiceTask& choice_task(const Task& task) { return dynamic_cast<const ChoiceTask&>(task); }

TEST(BenchmarkPrompts, MadeUpDocumentsGiveLmEvalsRequests) {
  const Json docs = load_json(kFixtures / "made_up/docs.json");
  TempDir dir;
  for (const auto& [task, splits] : docs.items())
    for (const auto& [split, rows] : splits.items()) {
      std::string lines;
      for (const Json& row : rows) lines += row.dump() + "\n";
      dir.write(task == "mmlu" ? "mmlu/abstract_algebra/" + split + ".jsonl"
                               : task + "/" + split + ".jsonl",
                lines);
    }
  int64_t checked = 0;
  std::map<std::pair<std::string, int64_t>, std::unique_ptr<Task>> tasks;
  for (const Json& row : lines_of(kFixtures / "made_up/requests.jsonl")) {
    const std::string name = row.at("task") == "mmlu_abstract_algebra" ? "mmlu" : row.at("task");
    const auto shots = row.at("shots").get<int64_t>();
    auto& task = tasks[{name, shots}];
    if (!task) {
      TaskSpec spec = find_task(name);
      if (name == "mmlu") {
        spec.subjects = {"abstract_algebra"};
        spec.data.split = "test";
      }
      task = make_task(spec, {.benchmarks = dir.path().string(), .shots = shots});
    }
    const ChoiceItem& item = choice_task(*task).at(row.at("doc"));
    EXPECT_EQ(item.gold, row.at("gold").get<size_t>());
    ASSERT_EQ(item.size(), row.at("requests").size());
    for (size_t i = 0; i < item.size(); ++i) {
      EXPECT_EQ(item.context(i), row.at("requests")[i][0].get<std::string>())
          << row.at("task") << " " << shots << " " << row.at("doc");
      EXPECT_EQ(item.continuation(i), row.at("requests")[i][1].get<std::string>());
      ++checked;
    }
  }
  EXPECT_EQ(checked, 2 * (6 * 4 + 5 * 2 + 4 * 4));
}

// Made-up documents of many tasks (tools/record/eval_requests.py): text by text.
TEST(BenchmarkPrompts, EveryTasksMadeUpDocumentsGiveLmEvalsRequests) {
  const fs::path folder = fs::path(HELIO_SOURCE_DIR) / "tests/fixtures/eval_requests";
  const Json docs = load_json(folder / "docs.json");
  TempDir dir;
  for (const auto& [place, rows] : docs.items()) {
    std::string lines;
    for (const Json& row : rows) lines += row.dump() + "\n";
    dir.write(place + ".jsonl", lines);
  }
  std::set<std::string> names;
  int64_t checked = 0;
  for (const Json& row : lines_of(folder / "requests.jsonl")) {
    const std::string name = row.at("task"), part = row.at("part");
    SCOPED_TRACE(name + " " + part + " " + row.at("shots").dump());
    TaskSpec spec = find_task(name);
    if (!part.empty()) spec.subjects = {part};
    const auto task =
        make_task(spec, {.benchmarks = dir.path().string(), .shots = row.at("shots")});
    ASSERT_EQ(task->not_run(), "");
    const Json& documents = row.at("documents");
    ASSERT_EQ(task->items(), static_cast<int64_t>(documents.size()));
    for (int64_t item = 0; item < task->items(); ++item, ++checked) {
      const Json& wanted = documents[static_cast<size_t>(item)];
      if (const auto question = task->question(item, {})) {
        EXPECT_EQ(question->prompt, wanted.at("requests")[0][0].get<std::string>());
        EXPECT_EQ(Json(question->stops), wanted.at("requests")[0][1].at("until"));
        continue;
      }
      const auto& choices = choice_task(*task).at(item);
      if (choices.right.empty()) EXPECT_EQ(choices.gold, wanted.at("gold").get<size_t>());
      ASSERT_EQ(choices.size(), wanted.at("requests").size());
      for (size_t i = 0; i < choices.size(); ++i) {
        EXPECT_EQ(choices.context(i), wanted["requests"][i][0].get<std::string>());
        EXPECT_EQ(choices.continuation(i), wanted["requests"][i][1].get<std::string>());
      }
    }
    names.insert(name);
  }
  EXPECT_EQ(names.size(), 11u);
  EXPECT_GT(checked, 60);
}

TEST(BenchmarkPrompts, RealDocumentsHashToLmEvalsRequests) {
  const auto folders = benchmark_folders();
  if (folders.empty()) GTEST_SKIP() << "no benchmark data: set HELIO_BENCHMARKS";
  for (const auto& folder : folders) {
    SCOPED_TRACE(folder.string());
    int64_t checked = 0;
    std::map<std::pair<std::string, int64_t>, std::unique_ptr<Task>> tasks;
    for (const char* name : {"hellaswag", "winogrande", "mmlu"})
      for (const Json& row : lines_of(kFixtures / (std::string(name) + ".jsonl"))) {
        const auto shots = row.at("shots").get<int64_t>();
        auto& task = tasks[{name, shots}];
        if (!task)
          task =
              make_task(find_task(name), {.benchmarks = folder.string(),
                                          .limit = 30,
                                          .limit_per_subject = std::string(name) == "mmlu" ? 3 : 0,
                                          .shots = shots});
        int64_t index = row.at("doc");
        if (const std::string full = row.at("task"); full.starts_with("mmlu_"))
          for (const Part& part : task->parts())
            if ("mmlu_" + part.name == full) index += part.begin;
        const ChoiceItem& item = choice_task(*task).at(index);
        EXPECT_EQ(item.gold, row.at("gold").get<size_t>());
        ASSERT_EQ(item.size(), row.at("hashes").size());
        for (size_t i = 0; i < item.size(); ++i) {
          ASSERT_EQ(digest(item.ask(i), 16), row.at("hashes")[i].get<std::string>())
              << item.id << ": " << item.context(i);
          ++checked;
        }
      }
    EXPECT_EQ(checked, 30 * 4 + 30 * 2 + 177 * 4);
  }
}

TEST(BenchmarkData, MissingIsNotRunDamagedIsAnError) {
  TempDir dir;
  const TaskSpec spec = find_task("winogrande");
  EXPECT_NE(make_task(spec, {})->not_run().find("--benchmarks"), std::string::npos);
  EXPECT_NE(make_task(spec, {.benchmarks = dir.path().string()})
                ->not_run()
                .find("winogrande/winogrande_xl/validation"),
            std::string::npos);
  EXPECT_THROW(make_task(spec, {.benchmarks = (dir.path() / "no").string()}), Error);
  const std::string good = R"({"sentence":"a _ b","option1":"x","option2":"y","answer":"1"})";
  dir.write("winogrande/validation.jsonl", good);
  EXPECT_EQ(make_task(spec, {.benchmarks = dir.path().string()})->items(), 1);
  EXPECT_NE(make_task(spec, {.benchmarks = dir.path().string(), .shots = 5})
                ->not_run()
                .find("winogrande/train"),
            std::string::npos);
  dir.write("winogrande/train.jsonl", good);
  for (const char* bad : {R"({"sentence":"no gap","option1":"x","option2":"y","answer":"1"})",
                          R"({"sentence":"a _ b","option1":"x","option2":"y","answer":""})",
                          R"({"sentence":"a _ b","option1":"x","answer":"1"})", R"([1])", "{"}) {
    dir.write("winogrande/validation.jsonl", good + "\n" + bad);
    EXPECT_THROW(make_task(spec, {.benchmarks = dir.path().string()}), Error) << bad;
  }
  dir.write("winogrande/validation.jsonl", good);
  EXPECT_THROW(make_task(spec, {.benchmarks = dir.path().string(), .shots = 5}), Error)
      << "six examples from one";
  dir.write("winogrande/winogrande_xl/validation/data-00000-of-00001.arrow", "no arrow");
  EXPECT_THROW(make_task(spec, {.benchmarks = dir.path().string()}), Error);
}

TEST(BenchmarkData, OnlyTheDataFilesOfAFolderAreRead) {
  TempDir dir;
  const std::string rows =
      read_file(fs::path(HELIO_SOURCE_DIR) / "tests/fixtures/arrow_stream/sliced.arrow");
  dir.write("winogrande/winogrande_xl/validation/data-00000-of-00001.arrow", rows);
  dir.write("winogrande/winogrande_xl/validation/cache-1234567890abcdef.arrow",
            rows);  // what datasets.map leaves
  BenchmarkData data(dir.path());
  EXPECT_EQ(data.documents(find_task("winogrande").data, "validation", "")->size(), 2u);
}

TEST(BenchmarkData, LimitsAreSharedOut) {
  EXPECT_EQ(share_of_limit({}, 3, 57, 100), 100);
  EXPECT_EQ(share_of_limit({.limit = 100}, 42, 57, 100), 2);
  EXPECT_EQ(share_of_limit({.limit = 100}, 43, 57, 100), 1);
  EXPECT_EQ(share_of_limit({.limit = 100, .limit_per_subject = 7}, 50, 57, 100), 7);
  EXPECT_EQ(share_of_limit({.limit_per_subject = 7}, 50, 57, 5), 5);
}

}  // namespace
}  // namespace helio::eval
