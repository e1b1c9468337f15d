#include "eval/run.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/lines.h"
#include "core/manifest.h"
#include "eval/choices.h"
#include "fake_model.h"

namespace helio::eval {
namespace {

std::string words(const std::string& stem, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += stem + std::to_string(i) + " ";
  return out;
}

// A dataset with held-out documents, preference pairs and a tiny Winogrande.
class EvalRun : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string rows;
    for (int i = 0; i < 40; ++i) {
      const std::string language = i % 2 ? "ko" : "en";
      const std::string stem = (language == "ko" ? "낱말" : "word") +
                               std::string(1, static_cast<char>('a' + i % 26)) + "_" +
                               std::to_string(i) + "_";
      rows += OrderedJson{{"id", "lot/" + std::to_string(i)},
                          {"text", words(stem, 120)},
                          {"language", language},
                          {"split", i < 4 ? "train" : "heldout"}}
                  .dump() +
              "\n";
    }
    dir_.write("corpus/part-00000.jsonl", rows);
    std::string pairs;
    for (int i = 0; i < 60; ++i)
      pairs += OrderedJson{{"prompt", "question " + std::to_string(i)},
                           {"chosen", "good answer"},
                           {"rejected", "bad"}}
                   .dump() +
               "\n";
    dir_.write("pairs.jsonl", pairs);
    dir_.write("bench/winogrande/validation.jsonl",
               R"({"sentence":"a _ b","option1":"x","option2":"y","answer":"1"})");
    make_dirs(dir_.path() / "models/base");
    make_dirs(dir_.path() / "models/aligned/step-1");
  }

  EvalOptions options(const std::string& out) const {
    EvalOptions o;
    o.models = {(dir_.path() / "models/base").string(),
                (dir_.path() / "models/aligned/step-1").string()};
    o.tasks = {"bits_per_byte", "cloze", "preference", "winogrande", "hellaswag"};
    o.dataset = (dir_.path() / "corpus").string();
    o.pairs = (dir_.path() / "pairs.jsonl").string();
    o.benchmarks = (dir_.path() / "bench").string();
    o.out = (dir_.path() / "evals" / out).string();
    o.heldout = 0.5;
    o.batch_tokens = 400;  // many batches
    return o;
  }
  OrderedJson run(const EvalOptions& o, FakeOptions fake = {}) {
    SilentMonitor monitor;
    const auto load = [&](const ModelPlace& place, FileHashes&) {
      FakeOptions mine = fake;
      mine.content += place.model.filename().string();
      return std::make_unique<FakeModel>(std::move(mine));
    };
    return run_evaluation(o, {.load = load, .monitor = monitor, .stop = stop_});
  }
  static const OrderedJson& result(const OrderedJson& all, const std::string& model,
                                   const std::string& task) {
    for (const auto& r : all.at("results"))
      if (r.at("model") == model && r.at("task") == task) return r;
    throw Error(ErrorKind::internal, "no result of " + model + " on " + task);
  }

  TempDir dir_;
  StopRequest stop_;
};

TEST_F(EvalRun, WritesAnArtefactThatVerifies) {
  const auto all = run(options("a"));
  const fs::path out = dir_.path() / "evals/a";
  verify_artefact(out);
  EXPECT_EQ(load_manifest(out).kind, "evaluation");
  EXPECT_EQ(parse_json(read_file(out / "results.json"), "r"), Json::parse(all.dump()));
  EXPECT_EQ(all["models"][1]["name"], "aligned/step-1");
  const auto& cloze = result(all, "base", "cloze");
  EXPECT_EQ(cloze["status"], "ok");
  EXPECT_EQ(cloze["parts"].size(), 2u);
  EXPECT_EQ(cloze["n"], 36);
  EXPECT_TRUE(cloze["at_chance"].is_boolean());
  const auto& missing = result(all, "base", "hellaswag");
  EXPECT_EQ(missing["status"], "not_run");
  EXPECT_NE(missing["reason"].get<std::string>().find("hellaswag/none/validation"),
            std::string::npos);
  EXPECT_FALSE(missing.contains("metrics")) << "what did not run has no figure, not 0";
  EXPECT_TRUE(fs::exists(out / "samples/cloze.aligned.step-1.jsonl"));
  EXPECT_FALSE(fs::exists(out / "samples/hellaswag.base.jsonl"));
  EXPECT_FALSE(fs::exists(dir_.path() / "evals/.helio-eval-a"))
      << "the journal goes when all is written";
  const std::string table = results_table(all);
  EXPECT_NE(table.find("—"), std::string::npos) << table;
  EXPECT_NE(table.find("aligned/step-1"), std::string::npos) << table;
}

// A stop after every batch in turn, then going on: the same bytes, and nothing scored twice.
TEST_F(EvalRun, GoesOnWhereItStoppedWithTheSameBytes) {
  std::atomic<int64_t> whole_asked = 0;
  int64_t calls = 0;
  run(options("whole"), {.asked = &whole_asked, .on_call = [&](int64_t) { ++calls; }});
  const fs::path whole = dir_.path() / "evals/whole";
  ASSERT_GT(calls, 20);
  for (int64_t stop_at = 0; stop_at < calls; stop_at += calls / 5 | 1) {
    const std::string name = "cut";
    std::atomic<int64_t> asked = 0;
    int64_t count = 0;
    const auto stops = [&](int64_t) {
      if (count++ == stop_at) throw Error(ErrorKind::interrupted, "killed");
    };
    EXPECT_THROW(run(options(name), {.asked = &asked, .on_call = stops}), Error);
    EXPECT_FALSE(fs::exists(dir_.path() / "evals/cut")) << "nothing half-written under its name";
    if (stop_at % 2) {  // a crash in the middle of a journal line
      const fs::path journal = dir_.path() / "evals/.helio-eval-cut/scores.jsonl";
      write_file_atomic(journal, read_file(journal) + "{\"key\":\"abc\",\"sco");
    }
    EXPECT_THROW(run(options(name)), Error) << "unfinished work is not overwritten unasked";
    EvalOptions again = options(name);
    again.resume = true;
    run(again, {.asked = &asked});
    EXPECT_EQ(asked.load(), whole_asked.load()) << "stopped at " << stop_at;
    for (const auto& file : list_files(whole)) {
      const auto relative = fs::relative(file, whole);
      if (relative == kManifestName) continue;  // holds the folder's name
      EXPECT_EQ(read_file(file), read_file(dir_.path() / "evals/cut" / relative)) << relative;
    }
    EXPECT_EQ(load_manifest(whole).content, load_manifest(dir_.path() / "evals/cut").content);
    fs::remove_all(dir_.path() / "evals/cut");
  }
}

// Answers in words beside scores: a stop after any answer, then the same bytes, nothing asked
// twice.
TEST_F(EvalRun, AnswersGoOnWhereTheyStopped) {
  std::string items;
  for (int i = 0; i < 6; ++i)
    items += OrderedJson{{"key", i},
                         {"prompt", "Say no comma, " + std::to_string(i)},
                         {"instruction_id_list", {"punctuation:no_comma"}},
                         {"kwargs", {OrderedJson::object()}}}
                 .dump() +
             "\n";
  dir_.write("bench/ifeval/input_data.jsonl", items);
  dir_.write("bench/mt_bench/question.jsonl",
             R"({"question_id": 81, "category": "writing", "turns": ["Write.", "Again."]})");
  for (const char* model : {"base", "aligned/step-1"})
    dir_.write("models/" + std::string(model) + "/chat_template.jinja", "{{ messages }}");
  std::atomic<int64_t> asked = 0;
  int64_t stop_at = -1;
  const auto says = [&](const Answerable& a) {
    EXPECT_FALSE(a.messages.empty());
    if (asked == stop_at) throw Error(ErrorKind::interrupted, "killed");
    return "to " + a.messages.back().content;
  };
  const auto answered = [&](const std::string& out, bool resume) {
    EvalOptions o = options(out);
    o.tasks = {"ifeval,winogrande", "mt_bench"};
    o.resume = resume;
    SilentMonitor monitor;
    return run_evaluation(
        o, {.load =
                [&](const ModelPlace& place, FileHashes&) {
                  return std::make_unique<FakeModel>(
                      FakeOptions{.content = place.model.filename().string()});
                },
            .respond =
                [&](const model::LanguageModel&, const fs::path&, const text::ChatFormat* chat) {
                  EXPECT_NE(chat, nullptr);
                  return std::make_unique<FakeRespondent>(says, &asked);
                },
            .monitor = monitor,
            .stop = stop_});
  };
  const auto all = answered("words", false);
  EXPECT_EQ(asked, 2 * (6 + 2));
  EXPECT_EQ(result(all, "base", "ifeval")["metrics"]["prompt_level_strict_acc"]["value"], 0);
  EXPECT_EQ(all["models"][0]["chat_template"]["name"], "solar");
  EXPECT_EQ(all["models"][0]["chat_template"]["sha256"].get<std::string>().size(), 64u);
  const auto& turns = result(all, "aligned/step-1", "mt_bench");
  EXPECT_EQ(turns["status"], "answered");
  EXPECT_FALSE(turns.contains("metrics"));
  EXPECT_NE(turns["reason"].get<std::string>().find(
                "helio eval judge answers/mt_bench.aligned.step-1.jsonl"),
            std::string::npos)
      << turns["reason"];
  EXPECT_NE(results_table(all).find("helio eval judge"), std::string::npos);
  const fs::path whole = dir_.path() / "evals/words";
  verify_artefact(whole);
  EXPECT_TRUE(fs::exists(whole / "answers/ifeval.base.jsonl"));
  EXPECT_TRUE(fs::exists(whole / "samples/mt_bench.base.jsonl"));
  const int64_t once = asked;
  for (int64_t stop = 1; stop < once; stop += 3) {
    asked = 0;
    stop_at = stop;
    EXPECT_THROW(answered("cut", false), Error);
    stop_at = -1;
    answered("cut", true);
    EXPECT_EQ(asked, once + 1) << "only the question that was asked as it stopped is asked again";
    for (const auto& file : list_files(whole)) {
      const auto relative = fs::relative(file, whole);
      if (relative == kManifestName) continue;
      EXPECT_EQ(read_file(file), read_file(dir_.path() / "evals/cut" / relative)) << relative;
    }
    fs::remove_all(dir_.path() / "evals/cut");
  }
  fs::remove(dir_.path() / "models/base/chat_template.jinja");
  asked = 0;
  try {
    answered("none", false);
    ADD_FAILURE() << "conversations without a template";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
    EXPECT_NE(std::string(error.what()).find("no chat template"), std::string::npos);
  }
  EXPECT_EQ(asked, 0);
}

TEST_F(EvalRun, RestartForgetsTheJournal) {
  int64_t count = 0;
  EXPECT_THROW(run(options("r"), {.on_call =
                                      [&](int64_t) {
                                        if (count++ == 5)
                                          throw Error(ErrorKind::interrupted, "killed");
                                      }}),
               Error);
  std::atomic<int64_t> asked = 0, all = 0;
  EvalOptions o = options("r");
  o.restart = true;
  run(o, {.asked = &asked});
  run(options("other"), {.asked = &all});
  EXPECT_EQ(asked.load(), all.load());
}

// Progress counts bytes, and what is not run does not hold it back.
TEST_F(EvalRun, ProgressEndsAtItsTotal) {
  struct Counting final : Monitor {
    int64_t total = 0, last = 0;
    void begin(std::string_view, int64_t all, std::string_view) override { total = all; }
    void at(int64_t done, std::string_view) override {
      EXPECT_GT(done, last);
      last = done;
    }
    void end(std::string_view) override {}
    void note(std::string_view) override {}
    void warn(std::string_view) override {}
  } monitor;
  EvalOptions o = options("progress");
  const auto load = [](const ModelPlace&, FileHashes&) {
    return std::make_unique<FakeModel>(FakeOptions{.positions = 150});
  };
  run_evaluation(o, {.load = load, .monitor = monitor, .stop = stop_});
  EXPECT_GT(monitor.total, 0);
  EXPECT_EQ(monitor.last, monitor.total);
}

TEST_F(EvalRun, AStopRequestInterrupts) {
  stop_.raise();
  try {
    run(options("s"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
}

TEST_F(EvalRun, FiguresFollowFromTheModelsProbabilities) {
  EvalOptions o = options("figures");
  o.models.resize(1);
  // Every byte is given probability 1/8: three bits a byte, whatever the windows.
  const auto eighth = [](const model::ScoreRequest& r) {
    return static_cast<double>(r.continuation.size()) * std::log(1.0 / 8);
  };
  for (const int64_t positions : {4096, 64, 7}) {
    o.tasks = {"bits_per_byte"};
    o.restart = true;
    const auto all = run(o, {.positions = positions, .log_prob = eighth});
    EXPECT_NEAR(
        result(all, "base", "bits_per_byte")["metrics"]["bits_per_byte"]["value"].get<double>(), 3,
        1e-12);
    EXPECT_TRUE(result(all, "base", "bits_per_byte")["at_chance"].is_null());
  }
  // Longer answers are less probable in sum, equal by length.
  o.tasks = {"preference"};
  const auto all = run(o, {.log_prob = eighth});
  const auto& preference = result(all, "base", "preference");
  EXPECT_EQ(preference["metrics"]["acc"]["value"], 0.0);
  EXPECT_GT(preference["metrics"]["acc"]["interval95"][1].get<double>(), 0.0)
      << "Wilson's interval is never empty";
  EXPECT_EQ(preference["at_chance"], false);
  const auto& settings = all["tasks"][0]["settings"];
  EXPECT_EQ(settings["heldout"], 0.5);
}

TEST_F(EvalRun, LimitsAreSharedByLanguagesAndCounted) {
  EvalOptions o = options("limit");
  o.limit = 5;
  o.tasks = {"cloze", "bits_per_byte"};
  const auto all = run(o);
  EXPECT_EQ(result(all, "base", "cloze")["n"], 5);
  EXPECT_EQ(result(all, "base", "cloze")["total"], 36);
  EXPECT_EQ(result(all, "base", "cloze")["parts"][0]["n"], 3);
  EXPECT_NE(results_table(all).find("5 of 36"), std::string::npos);
}

TEST_F(EvalRun, ItemsAModelCannotHoldAreCounted) {
  EvalOptions o = options("small");
  o.models.resize(1);
  o.tasks = {"cloze", "winogrande"};
  const auto all = run(o, {.positions = 20});  // a continuation has about 120 bytes
  EXPECT_EQ(result(all, "base", "cloze")["status"], "not_run");
  EXPECT_EQ(result(all, "base", "winogrande")["status"], "ok");
}

TEST_F(EvalRun, ANumberThatIsNoneIsAnError) {
  EXPECT_THROW(run(options("nan"), {.log_prob = [](const auto&) { return std::nan(""); }}), Error);
  EXPECT_FALSE(fs::exists(dir_.path() / "evals/nan"));
}

TEST_F(EvalRun, DryRunLoadsAndWritesNothing) {
  EvalOptions o = options("dry");
  o.dry_run = true;
  SilentMonitor monitor;
  const auto all = run_evaluation(
      o, {.load = [](const ModelPlace&, FileHashes&) -> std::unique_ptr<model::LanguageModel> {
            throw Error(ErrorKind::internal, "loaded");
          },
          .monitor = monitor,
          .stop = stop_});
  EXPECT_EQ(result(all, "base", "cloze")["status"], "planned");
  EXPECT_FALSE(fs::exists(dir_.path() / "evals"));
}

TEST_F(EvalRun, BadOptionsAreRefusedBeforeAnythingIsLoaded) {
  EvalOptions o = options("bad");
  o.tasks = {"cloze", "cloze"};
  EXPECT_THROW(run(o), Error);
  o = options("bad");
  o.tasks = {"clozee"};
  EXPECT_THROW(run(o), Error);
  o = options("bad");
  o.models.push_back((dir_.path() / "models/none").string());
  EXPECT_THROW(run(o), Error);
  o = options("bad");
  o.models.push_back(o.models[0]);
  EXPECT_THROW(run(o), Error);
  o = options("bad");
  dir_.write("corpus/part-00001.jsonl", "{\"id\": \"x\", \"split\": \"heldout\"}\n");
  EXPECT_THROW(run(o), Error);
}

TEST(DisplayNames, BelowModelsElseAsLongAsNeeded) {
  EXPECT_EQ(
      display_names({"ws/models/base", "ws/models/aligned/step-1", "ws/models/aligned/step-2/"}),
      (std::vector<std::string>{"base", "aligned/step-1", "aligned/step-2"}));
  EXPECT_EQ(display_names({"/a/x", "/b/x", "/b/y"}), (std::vector<std::string>{"a/x", "b/x", "y"}));
  EXPECT_THROW(display_names({"/a/x", "/a/x"}), Error);
}

}  // namespace
}  // namespace helio::eval
