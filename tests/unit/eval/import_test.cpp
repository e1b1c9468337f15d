// What a benchmarks folder holds, and data that a user brings.
#include <gtest/gtest.h>

#include <cstdlib>

#include "../support/temp_dir.h"
#include "core/error.h"
#include "core/fs.h"
#include "eval/benchmark_import.h"
#include "eval/benchmark_items.h"

namespace helio::eval {
namespace {

using Kind = SplitState::Kind;

TEST(BenchmarkImport, TheRealDataIsWhatWasPublished) {
  const char* root = std::getenv("HELIO_BENCHMARKS");
  const fs::path folder = root ? root : "/work/shared/data/benchmarks";
  if (!fs::is_directory(folder)) GTEST_SKIP() << "no benchmark data: set HELIO_BENCHMARKS";
  BenchmarkData data(folder);
  for (const char* name :
       {"arc_challenge", "gsm8k", "mmlu", "truthfulqa_mc1", "truthfulqa_mc2", "winogrande_train_l",
        "kobest_boolq", "kobest_copa", "kobest_hellaswag", "kobest_sentineg", "kobest_wic"}) {
    const TaskSpec spec = find_task(name);
    for (const auto& split : splits_of(spec)) {
      const auto state = state_of(spec, data, split);
      EXPECT_EQ(state.kind, Kind::published) << name << " " << split << ": " << state.says;
    }
  }
  EXPECT_EQ(state_of(find_task("hellaswag"), data, "validation").kind, Kind::published);
  EXPECT_EQ(state_of(find_task("hellaswag"), data, "train").kind, Kind::missing);
}

TaskSpec small_task() {
  return read_task(R"(
about: a test
mode: multiple_choice
data: {places: ["t/hf/{split}", "t/{split}"], split: test, checks: [test 2 SHA, train 3]}
shots: {split: train}
prompt: "{q}"
choices: [a, b]
gold: g
metrics: [acc]
main_metric: acc
)",
                   "t", "t.task.yaml");
}

TEST(BenchmarkImport, AFileIsCheckedBeforeItIsTaken) {
  TempDir dir;
  const fs::path benchmarks = dir.path() / "b";
  dir.write("two.jsonl", "{\"q\":\"x\",\"g\":0}\n{\"q\":\"y\",\"g\":1}\n");
  dir.write("wrong_gold.jsonl", "{\"q\":\"x\",\"g\":1}\n{\"q\":\"y\",\"g\":1}\n");
  dir.write("three.jsonl", "{\"q\":\"x\",\"g\":0}\n{\"q\":\"y\",\"g\":1}\n{\"q\":\"z\",\"g\":1}\n");
  dir.write("bad.jsonl", "{\"q\":\"x\",\"g\":2}\n{\"q\":\"y\",\"g\":1}\n");
  TaskSpec spec = small_task();
  // sha256 of "x\x1f a\nx\x1f b\n0\ny\x1f a\ny\x1f b\n1\n"
  spec.data.checks[0] = "test 2 fe65cea08708b649c2ed161fc898a63d40dbb257173da6a6cb9118f23a54687d";
  EXPECT_THROW(
      import_split(spec, dir.path() / "wrong_gold.jsonl", "test", benchmarks, OtherData::refuse),
      Error);
  EXPECT_THROW(
      import_split(spec, dir.path() / "three.jsonl", "test", benchmarks, OtherData::refuse), Error);
  EXPECT_THROW(import_split(spec, dir.path() / "bad.jsonl", "test", benchmarks, OtherData::accept),
               Error);
  EXPECT_FALSE(fs::exists(benchmarks / "t"));
  const auto file =
      import_split(spec, dir.path() / "two.jsonl", "test", benchmarks, OtherData::refuse);
  EXPECT_EQ(file, benchmarks / "t/test.jsonl.zst");
  import_split(spec, dir.path() / "three.jsonl", "train", benchmarks, OtherData::refuse);
  BenchmarkData data(benchmarks);
  EXPECT_EQ(state_of(spec, data, "test").kind, Kind::published);
  EXPECT_EQ(state_of(spec, data, "train").kind, Kind::counted);
  EXPECT_THROW(import_split(spec, dir.path() / "two.jsonl", "test", benchmarks, OtherData::refuse),
               Error)
      << "there already";
  EXPECT_THROW(import_split(spec, dir.path() / "none", "test", dir.path() / "c", OtherData::refuse),
               Error);
  // A folder, in the other layout; and other data when it is wanted.
  dir.write("hub/t/hf/test.jsonl", read_file(dir.path() / "wrong_gold.jsonl"));
  import_split(spec, dir.path() / "hub", "test", dir.path() / "c", OtherData::accept);
  BenchmarkData other(dir.path() / "c");
  EXPECT_EQ(state_of(spec, other, "test").kind, Kind::other);
  EXPECT_THROW(import_split(spec, dir.path() / "hub", "train", dir.path() / "c", OtherData::accept),
               Error);
}

// A line a request, two of each document, and each once more without its question.
TEST(BenchmarkImport, RequestFilesOfOlmesHoldDocuments) {
  const TempDir dir;
  const auto line = [](int64_t id) {
    return compact(OrderedJson{{"request_type", "loglikelihood"},
                               {"doc",
                                {{"sentence", "Bo saw Al, so _ ran " + std::to_string(id)},
                                 {"option1", "Al"},
                                 {"option2", "Bo"},
                                 {"answer", "2"}}},
                               {"doc_id", id},
                               {"request", {{"context", "…"}, {"continuation", " a"}}}}) +
           "\n";
  };
  std::string all;
  for (const int64_t id : {0, 1, 1000000, 1000001}) all += line(id) + line(id);
  TaskSpec spec = find_task("winogrande");
  spec.data.checks = {};
  import_split(spec, dir.write("requests.jsonl", all), "train", dir.path() / "b",
               OtherData::refuse);
  BenchmarkData data(dir.path() / "b");
  const auto rows = data.documents(spec.data, "train", "");
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 2);
  const ItemBuilder builder(spec);
  const ChoiceItem item = builder.choices(builder.prepared((*rows)[1], ""), "");
  EXPECT_EQ(item.ask(1).context + item.ask(1).continuation, "Bo saw Al, so Bo ran 1");
  EXPECT_EQ(item.gold, 1);
  EXPECT_THROW(import_split(spec, dir.write("gap.jsonl", line(0) + line(2)), "train",
                            dir.path() / "c", OtherData::accept),
               Error);
}

}  // namespace
}  // namespace helio::eval
