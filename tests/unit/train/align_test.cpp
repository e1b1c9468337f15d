// Alignment in steps: what each stands on, what is written, stopped and resumed.
#include "train/align.h"

#include <cmath>
#include <map>
#include <set>

#include "core/error.h"
#include "run_fixture.h"

namespace helio::train {
namespace {

class Alignments : public Runs {
 protected:
  AlignOptions align_options(const std::string& name) {
    if (data_.empty()) {
      std::vector<Json> rows;
      for (int i = 0; i < 24; ++i)
        rows.push_back(
            {{"conversations", {{{"from", "human"}, {"value", "Question " + std::to_string(i)}}}},
             {"chosen", {{"from", "gpt"}, {"value", "good " + std::to_string(i)}}},
             {"rejected", {{"from", "gpt"}, {"value", std::to_string(i) + " bad bad"}}}});
      rows.push_back({{"prompt", "equal"}, {"chosen", "same"}, {"rejected", "same"}});
      data_ = write_rows("pairs.jsonl", rows);
    }
    AlignOptions o;
    o.model = base();
    o.data = data_;
    o.out = (dir_ / "models").string() + "/" + name;
    o.run = (dir_ / "runs").string() + "/" + name;
    o.max_length = 64;
    o.heldout = 0.25;
    o.steps = 2;
    o.train = tiny_training();
    o.train.steps = 8;
    o.train.lr = 2e-3;
    return o;
  }
  std::string step_metrics(const std::string& name) const {
    return untimed_metrics(dir_ / "runs" / name / "step-1") +
           untimed_metrics(dir_ / "runs" / name / "step-2");
  }
  std::string data_;
};

TEST_F(Alignments, EveryStepStandsOnTheOneBefore) {
  const auto o = align_options("sdpo");
  const OrderedJson facts = AlignRun(o).run(monitor_, stop_);
  EXPECT_EQ(facts["pairs_refused"]["equal_sides"], 1);
  EXPECT_EQ(facts["pairs"].get<int64_t>() + facts["heldout_pairs"].get<int64_t>(), 24);
  ASSERT_EQ(facts["steps"].size(), 2u);
  EXPECT_EQ(facts["steps"][0]["reference"], "base");
  EXPECT_EQ(facts["steps"][1]["reference"], "sdpo/step-1");
  for (const auto& step : facts["steps"]) {
    EXPECT_EQ(step["chunk"]["rewards_before"]["margin"], 0.0);
    EXPECT_GT(step["chunk"]["rewards_after"]["margin"].get<double>(), 0);
    EXPECT_EQ(step["heldout"]["rewards_after"]["accuracy"]["of"], facts["heldout_pairs"]);
  }
  // The easier half comes first.
  EXPECT_GE(facts["steps"][0]["chunk"]["start_margin_low"].get<double>(),
            facts["steps"][1]["chunk"]["start_margin_high"].get<double>());
  const Manifest first = load_manifest(fs::path(o.out) / "step-1"),
                 second = load_manifest(fs::path(o.out) / "step-2");
  EXPECT_EQ(second.inputs[0].content, first.content);
  EXPECT_EQ(first.inputs[0].content, model_hash("base"));
  EXPECT_EQ(load_manifest(o.out).kind, "models");
  verify_artefact(o.out);
  // What TRL reports, each step.
  const auto rows = read_all(fs::path(o.run) / "step-2" / "metrics.jsonl");
  for (const char* name :
       {"loss", "rewards/chosen", "rewards/rejected", "rewards/margins", "rewards/accuracies",
        "logps/chosen", "logps/rejected", "grad_norm", "learning_rate", "epoch", "num_tokens"})
    EXPECT_TRUE(rows[1].contains(name)) << name;
  EXPECT_NEAR(rows[1]["loss"].get<double>(), std::log(2.0), 1e-5);  // step 1: policy = reference
  EXPECT_TRUE(rows[0].contains("eval/rewards/margins"));
}

TEST_F(Alignments, StoppedAndResumedGivesTheSameBits) {
  AlignRun(align_options("whole")).run(monitor_, stop_);
  auto o = align_options("cut");
  for (const int64_t at : {3, 2}) {  // in the first step, then early in what is left of it
    StopRequest stop;
    StopAt stopper(stop, at);
    try {
      AlignRun(o).run(stopper, stop);
      FAIL() << "not stopped";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::interrupted);
    }
    std::string text;
    auto unasked = o;
    unasked.unfinished = {};
    EXPECT_EQ(kind_of([&] { AlignRun(unasked).run(monitor_, stop_); }, &text), ErrorKind::usage);
    o.unfinished.resume = true;
  }
  AlignRun(o).run(monitor_, stop_);
  EXPECT_EQ(model_hash("cut/step-1"), model_hash("whole/step-1"));
  EXPECT_EQ(model_hash("cut/step-2"), model_hash("whole/step-2"));
  EXPECT_EQ(step_metrics("cut"), step_metrics("whole"));
}

TEST_F(Alignments, ReferenceScoresAreComputedOnce) {
  const auto o = align_options("sdpo");
  AlignRun(o).run(monitor_, stop_);
  const fs::path dir = fs::path(o.run) / "reference";
  std::map<fs::path, fs::file_time_type> written;
  std::set<std::string> models;
  for (const auto& file : list_files(dir)) {
    const auto rows = read_all(file);
    EXPECT_EQ(rows.size() - 1, rows[0]["count"].get<size_t>());
    models.insert(rows[0]["model"]);
    written[file] = fs::last_write_time(file);
  }
  EXPECT_EQ(models, (std::set<std::string>{model_hash("base"),
                                           load_manifest(fs::path(o.out) / "step-1").content}));
  AlignRun(o).run(monitor_, stop_);  // a whole result is made again, from the kept scores
  for (const auto& [file, time] : written) EXPECT_EQ(fs::last_write_time(file), time);

  // Another beta finds the scores of the first step; a file of another model is refused.
  auto other = align_options("other-beta");
  other.beta = 0.3;
  other.references = dir.string();
  AlignRun(other).run(monitor_, stop_);
  const size_t after = list_files(dir).size();
  EXPECT_EQ(after, written.size() + 2) << "only step 2 stands on another model";
  for (const auto& [file, time] : written) {
    std::string text = read_file(file);
    const size_t at = text.find("\"model\":\"") + 9;
    text[at] = text[at] == '0' ? '1' : '0';
    write_file_atomic(file, text);
  }
  other.beta = 0.4;
  std::string what;
  EXPECT_EQ(kind_of([&] { AlignRun(other).run(monitor_, stop_); }, &what), ErrorKind::invalid);
  EXPECT_NE(what.find("another model"), std::string::npos) << what;
}

TEST_F(Alignments, UnpairedAnswersNeedALossOfTheirOwn) {
  std::vector<Json> rows;
  for (int i = 0; i < 24; ++i)
    rows.push_back({{"prompt", "Question " + std::to_string(i)},
                    {"completion", (i % 2 ? "good " : "bad ") + std::to_string(i)},
                    {"label", i % 2 == 1}});
  data_ = write_rows("kto.jsonl", rows);
  auto o = align_options("kto");
  o.steps = 1;
  std::string what;
  EXPECT_EQ(kind_of([&] { AlignRun{o}; }, &what), ErrorKind::invalid);
  EXPECT_NE(what.find("one answer only"), std::string::npos) << what;
  o.loss = "kto";
  const OrderedJson facts = AlignRun(o).run(monitor_, stop_);
  const auto& step = facts["steps"][0];
  EXPECT_EQ(step["heldout"]["rewards_after"]["accuracy"]["of"], 0);
  EXPECT_GT(step["chunk"]["rewards_after"]["chosen"].get<double>(), 0);
  EXPECT_LT(step["chunk"]["rewards_after"]["rejected"].get<double>(), 0);
  const auto metrics = read_all(fs::path(o.run) / "step-1" / "metrics.jsonl");
  EXPECT_TRUE(metrics[1].contains("kl"));
}

TEST_F(Alignments, AReferenceOfItsOwnGivesAMarginFromTheStart) {
  auto more = options("other");
  more.init = base();
  PretrainRun(more).run(monitor_, stop_);
  auto o = align_options("own");
  o.steps = 1;
  o.reference = more.out;
  const OrderedJson facts = AlignRun(o).run(monitor_, stop_);
  EXPECT_EQ(facts["steps"][0]["reference"], "other");
  EXPECT_NE(facts["steps"][0]["chunk"]["rewards_before"]["margin"].get<double>(), 0.0);
}

// Warnings of a run.
class Warnings final : public Monitor {
 public:
  void begin(std::string_view, int64_t, std::string_view) override {}
  void at(int64_t, std::string_view) override {}
  void end(std::string_view) override {}
  void note(std::string_view) override {}
  void warn(std::string_view line) override { lines_ += std::string(line) + "\n"; }
  const std::string& lines() const { return lines_; }

 private:
  std::string lines_;
};

TEST_F(Alignments, BadPairsAreCountedAndSaid) {
  std::vector<Json> rows;
  for (int i = 0; i < 8; ++i)
    rows.push_back({{"prompt", "Q" + std::to_string(i)}, {"chosen", "good"}, {"rejected", "bad"}});
  rows.push_back({{"prompt", "Q0"}, {"chosen", "good"}, {"rejected", "bad"}});  // twice
  rows.push_back({{"prompt", "empty"}, {"chosen", " "}, {"rejected", "bad"}});
  rows.push_back({{"prompt", std::string(300, 'x')}, {"chosen", "good"}, {"rejected", "bad"}});
  rows.push_back({{"prompt", "far"},
                  {"chosen", std::string(300, 'y') + "1"},
                  {"rejected", std::string(300, 'y') + "2"}});
  auto o = align_options("bad");
  o.data = write_rows("bad.jsonl", rows);
  o.heldout = 0;
  o.order = "random";
  o.train.steps = 1;
  for (int64_t seed = 1;; ++seed) {  // until the two equal pairs fall into different chunks
    ASSERT_LT(seed, 20);
    o.train.seed = seed;
    const OrderedJson plan = AlignRun(o).plan_chunks(monitor_, stop_);
    if (plan["duplicates"]["pairs_across_chunks"] == 1) break;
  }
  Warnings warnings;
  const OrderedJson facts = AlignRun(o).run(warnings, stop_);
  EXPECT_EQ(facts["pairs"], 10);
  EXPECT_EQ(facts["pairs_refused"]["empty_side"], 1);
  EXPECT_EQ(facts["pairs_equal_after_cut"], 1);
  EXPECT_EQ(facts["prompts_cut"], 1);
  EXPECT_EQ(facts["duplicates"]["pairs_across_chunks"], 1);
  EXPECT_NE(warnings.lines().find("1 pairs also stand in an earlier chunk"), std::string::npos);
}

TEST_F(Alignments, PairsThatShareWordsWithABenchmarkAreDroppedOrKept) {
  auto o = align_options("clean");
  o.heldout = 0;
  o.benchmarks = write_rows("benchmark.jsonl", {{{"question", "q"}}});
  const PairCheck check = [](const text::Preference& pair) {
    return pair.prompt.back().content.ends_with("3");  // 3, 13, 23
  };
  EXPECT_EQ(AlignRun(o, check).plan()["pairs"], 21);
  EXPECT_EQ(AlignRun(o, check).plan()["pairs_contaminated"], 3);
  const std::string key = AlignRun(o, check).key();
  o.contaminated = "keep";
  EXPECT_EQ(AlignRun(o, check).plan()["pairs"], 24);
  EXPECT_EQ(AlignRun(o, check).plan()["pairs_contaminated"], 3);
  EXPECT_NE(AlignRun(o, check).key(), key);
  o.benchmarks = write_rows("benchmark.jsonl", {{{"question", "another"}}});
  o.contaminated = "drop";
  EXPECT_NE(AlignRun(o, check).key(), key) << "another benchmark is another run";
}

TEST_F(Alignments, PlansWithoutWriting) {
  const auto o = align_options("planned");
  const OrderedJson plan = AlignRun(o).plan();
  EXPECT_EQ(plan["steps"], 16);
  EXPECT_GT(plan["memory_bytes"].get<int64_t>(), 0);
  EXPECT_GT(plan["seconds"].get<double>(), 0);
  EXPECT_FALSE(fs::exists(o.out));
  EXPECT_FALSE(fs::exists(o.run));
}

}  // namespace
}  // namespace helio::train
