// Whole benchmarks beside recordings of lm-evaluation-harness: every request of every document,
// every draw of examples. The recordings lie in $HELIO_BENCHMARKS/golden.
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "core/fs.h"
#include "core/hash.h"
#include "core/lines.h"
#include "eval/choices.h"
#include "eval/statistics.h"
#include "fake_model.h"

namespace helio::eval {
namespace {

fs::path benchmarks() {
  const char* root = std::getenv("HELIO_BENCHMARKS");
  return root ? root : "/work/shared/data/benchmarks";
}

struct Golden {
  const char* name;
  const char* task;
  const char* file;
  int64_t shots, requests;
};

class WholeBenchmark : public ::testing::TestWithParam<Golden> {};

// What the recording hashed for a question answered in words.
std::string recorded_settings(const Answerable& question) {
  std::string out = R"({"do_sample": false, "temperature": 0.0, "until": [)";
  for (size_t i = 0; i < question.stops.size(); ++i)
    out += (i ? ", " : "") + Json(question.stops[i]).dump();
  return out + "]}";
}

TEST_P(WholeBenchmark, EveryRequestHashesToLmEvals) {
  const Golden& golden = GetParam();
  const fs::path file = benchmarks() / "golden/requests" / golden.file;
  if (!fs::exists(file)) GTEST_SKIP() << "no " << file;
  const auto task = make_task(find_task(golden.task),
                              {.benchmarks = benchmarks().string(), .shots = golden.shots});
  ASSERT_EQ(task->not_run(), "");
  std::map<std::string, int64_t> begin;
  for (const Part& part : task->parts()) begin[part.name] = part.begin;
  int64_t checked = 0;
  read_jsonl(file, [&](const Json& row, int64_t) {
    std::string part = row[0].get<std::string>();
    part = part.starts_with("mmlu_") ? part.substr(5) : "";
    const int64_t item = begin.at(part) + row[1].get<int64_t>();
    std::vector<std::string> texts;
    for (const Ask& ask : task->asks(item))
      texts.push_back(ask.context + "\x1f" + ask.continuation);
    if (const auto question = task->question(item, {}))
      texts.push_back(question->prompt + "\x1f" + recorded_settings(*question));
    ASSERT_EQ(texts.size(), row[2].size());
    for (size_t i = 0; i < texts.size(); ++i, ++checked)
      ASSERT_EQ(sha256_hex(texts[i]).substr(0, 12), row[2][i].get<std::string>())
          << task->item_id(item) << "\n"
          << texts[i];
  });
  EXPECT_EQ(checked, golden.requests);
}

INSTANTIATE_TEST_SUITE_P(
    LmEval0413, WholeBenchmark,
    ::testing::Values(
        Golden{"arc", "arc_challenge", "arc_challenge_25shot.hashes.jsonl.gz", 25, 4687},
        Golden{"mmlu", "mmlu", "mmlu_5shot.hashes.jsonl.gz", 5, 56168},
        Golden{"truthfulqa", "truthfulqa_mc2", "truthfulqa_mc2_0shot.hashes.jsonl.gz", 0, 5882},
        Golden{"winogrande", "winogrande_train_l", "winogrande_5shot.hashes.jsonl.gz", 5, 2534},
        Golden{"gsm8k", "gsm8k", "gsm8k_5shot.hashes.jsonl.gz", 5, 1319},
        Golden{"kobest_boolq", "kobest_boolq", "kobest_boolq_5shot.hashes.jsonl.gz", 5, 2808},
        Golden{"kobest_copa", "kobest_copa", "kobest_copa_5shot.hashes.jsonl.gz", 5, 2000}),
    [](const auto& info) { return std::string(info.param.name); });

// Per subject, with the two forms of the description: until 0.4.3, and since.
TEST(WholeBenchmarkOfAnOlderVersion, EverySubjectOfMmluHashesToLmEvals) {
  const fs::path file = benchmarks() / "golden/requests/mmlu_5shot_per_subject.json";
  if (!fs::exists(file)) GTEST_SKIP() << "no " << file;
  const Json golden = load_json(file);
  for (const auto& [profile, key] :
       {std::pair{"current", "lm_eval>=0.4.4"},
        std::pair{"evalverse", "lm_eval<=0.4.3 (one newline after description)"}}) {
    const auto task = make_task(
        find_task("mmlu"), {.benchmarks = benchmarks().string(), .profile = profile, .shots = 5});
    ASSERT_EQ(task->parts().size(), golden.size());
    for (const Part& part : task->parts()) {
      Sha256Stream hash;
      const std::string name = "mmlu_" + part.name;
      for (int64_t item = part.begin; item < part.end; ++item)
        for (const Ask& ask : task->asks(item))
          hash.update(ask.context + "\x1f" + ask.continuation + "\n");
      ASSERT_EQ(hash.hex(), golden.at(name).at(key)) << profile << " " << name;
    }
  }
}

// The examples' numbers as a made-up benchmark of the same size shows them: pools that are not at
// hand have recorded draws too.
class Draws {
 public:
  Draws(const std::string& task, const std::string& profile, const Json& golden)
      : count_(golden.at("k").get<size_t>()) {
    TempDir dir;
    const auto rows = [&](const char* split, const char* prefix, int64_t count) {
      std::string lines;
      for (int64_t i = 0; i < count; ++i)
        lines += R"({"q":")" + (prefix + std::to_string(i)) + "\"}\n";
      dir.write(std::string("x/") + split + ".jsonl", lines);
    };
    rows("test", "t", golden.at("n_docs").get<int64_t>());
    rows("train", "", golden.at("n_pool").get<int64_t>());
    TaskSpec spec = find_task(task);
    spec.mode = "multiple_choice";
    spec.prepare = "none";
    spec.prompt = "{q}";
    spec.choices = {"a"};
    spec.choices_from = spec.gold_in = spec.description = "";
    spec.gold = "0";
    spec.delimiter = spec.separator = " ";
    spec.data = {.places = {"x/{split}"}, .split = "test"};
    task_ = make_task(spec, {.benchmarks = dir.path().string(),
                             .profile = profile,
                             .shots = static_cast<int64_t>(count_)});
  }

  std::vector<int64_t> of(int64_t item) const {
    std::vector<int64_t> out;
    std::istringstream words(task_->asks(item).at(0).context);
    for (std::string number, answer; out.size() < count_ && words >> number >> answer;)
      out.push_back(std::stoll(number));
    return out;
  }
  std::string id(int64_t item) const { return task_->item_id(item); }
  int64_t items() const { return task_->items(); }

 private:
  size_t count_;
  std::unique_ptr<Task> task_ = {};
};

TEST(FewShotDraws, AreThoseOfEveryProfile) {
  const fs::path file = benchmarks() / "golden/fewshot_draws.json";
  if (!fs::exists(file)) GTEST_SKIP() << "no " << file;
  const Json all = load_json(file);
  int64_t checked = 0;
  for (const char* task : {"arc_challenge", "hellaswag", "winogrande", "gsm8k"})
    for (const auto& [profile, key] :
         {std::pair{"openllm-v1", "openllm-v1-b281b09"}, std::pair{"evalverse", "lm-eval-0.4"},
          std::pair{"current", "lm-eval-0.4"}}) {
      const Json& golden = all.at(std::string(task) + "|" + key);
      SCOPED_TRACE(std::string(task) + " " + profile);
      const Draws draws(task, profile, golden);
      const size_t used = golden.at("k"), drawn = golden.at("draw");
      const auto first = [&](const Json& list) {
        auto numbers = list.get<std::vector<int64_t>>();
        numbers.resize(used);
        return numbers;
      };
      for (int64_t i = 0; i < 3; ++i)
        EXPECT_EQ(draws.of(i), first(golden.at("first3")[static_cast<size_t>(i)]));
      EXPECT_EQ(draws.of(draws.items() - 1), first(golden.at("last")));
      if (golden.contains("doc_order_first5"))
        for (int64_t i = 0; i < 5; ++i)
          EXPECT_EQ(draws.id(i), golden["doc_order_first5"][static_cast<size_t>(i)].dump());
      if (used == drawn) {
        Json every = Json::array();
        for (int64_t i = 0; i < draws.items(); ++i) every.push_back(draws.of(i));
        std::string text = every.dump();
        std::string spaced;
        for (const char c : text) spaced += c == ',' ? std::string(", ") : std::string(1, c);
        EXPECT_TRUE(sha256_hex(spaced) == golden.at("sha256_of_json_all") ||
                    sha256_hex(text) == golden.at("sha256_of_json_all"));
      }
      ++checked;
    }
  EXPECT_EQ(checked, 12);
}

// Evalverse's published result for SOLAR-10.7B-Instruct: 57 accuracies, their mean, and its two
// standard errors: pooled over four groups (0.4.2), and over the subjects (since 0.4.4).
TEST(MmluPooling, IsLmEvalsInBothVersions) {
  const fs::path file =
      benchmarks() / "golden/evalverse/SOLAR-10.7B-Instruct-v1.0/h6_en/mmlu_5.json.gz";
  if (!fs::exists(file)) GTEST_SKIP() << "no " << file;
  std::string text;
  LineReader lines(file);
  for (std::string_view line; lines.next(line);) text.append(line).append("\n");
  const Json results = parse_json(text, file.string()).at("results");
  const TaskSpec spec = find_task("mmlu");
  const auto test = make_task(spec, {.benchmarks = benchmarks().string(), .shots = 0});
  std::vector<Estimate> subjects, groups;
  for (const auto& group : spec.part_groups) {
    std::vector<Estimate> members;
    const std::string name = group.substr(0, group.find(':'));
    for (const Part& part : test->parts())
      if (part.group == name) {
        const Json& its = results.at("mmlu_" + part.name);
        members.push_back({.value = its.at("acc,none").get<double>(),
                           .stderr_ = its.at("acc_stderr,none").get<double>(),
                           .n = part.total});
      }
    const Estimate whole = pooled(members);
    EXPECT_NEAR(whole.value, results.at("mmlu_" + name).at("acc,none").get<double>(), 1e-12);
    EXPECT_NEAR(*whole.stderr_, results.at("mmlu_" + name).at("acc_stderr,none").get<double>(),
                1e-12);
    groups.push_back(whole);
    subjects.insert(subjects.end(), members.begin(), members.end());
  }
  EXPECT_EQ(subjects.size(), 57u);
  EXPECT_NEAR(pooled(groups).value, results.at("mmlu").at("acc,none").get<double>(), 1e-12);
  EXPECT_NEAR(*pooled(groups).stderr_, results.at("mmlu").at("acc_stderr,none").get<double>(),
              1e-15);
  EXPECT_NEAR(*pooled(groups).stderr_, 0.003785654724935679, 1e-15);
  EXPECT_NEAR(*pooled(subjects).stderr_, 0.0037855851539, 1e-12);
}

}  // namespace
}  // namespace helio::eval
