// Whole runs in small: stop, kill and resume to the same bits, refuse what cannot work.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <optional>
#include <thread>

#include "core/error.h"
#include "run_fixture.h"
#include "train/sft.h"

namespace helio::train {
namespace {

constexpr int64_t kLongRun = 150;

TEST_F(Runs, PretrainingWritesAModelThatLearned) {
  auto o = options("base");
  o.train.steps = 30;
  o.train.validate_every = 10;
  const RunSummary summary = PretrainRun(o).run(monitor_, stop_);
  EXPECT_LT(*summary.heldout_end, *summary.heldout_start - 0.5);
  const Manifest manifest = load_manifest(o.out);
  verify_artefact(o.out);
  EXPECT_EQ(manifest.kind, "model");
  EXPECT_EQ(manifest.facts["tokens_trained"], 30 * 4 * 24);
  for (const char* file : {"config.json", "generation_config.json", "model.safetensors",
                           "tokenizer.json", "chat_template.jinja"})
    EXPECT_TRUE(fs::exists(fs::path(o.out) / file)) << file;
  const auto config = checkpoint::load_decoder_config(o.out);
  EXPECT_EQ(config.eos, 257);
  EXPECT_EQ(config.pad, 258);
  const Json lots = load_json(fs::path(o.run) / "lots.json");
  EXPECT_EQ(lots["total"], 30 * 4 * 24);
  int64_t sum = 0;
  for (const Json& lot : lots["lots"]) sum += lot["tokens"].get<int64_t>();
  EXPECT_EQ(lots["total"], sum);
  EXPECT_FALSE(fs::exists(fs::path(o.run) / "checkpoints"));
  // Held-out loss at 0, 10, 20, 30 and a line a step.
  std::vector<int64_t> evaluated;
  int64_t lines = 0;
  for (const Json& row : read_all(fs::path(o.run) / "metrics.jsonl")) {
    if (row.contains("eval/loss")) evaluated.push_back(row["step"]);
    else if (row.contains("loss")) ++lines;
  }
  EXPECT_EQ(evaluated, (std::vector<int64_t>{0, 10, 20, 30}));
  EXPECT_EQ(lines, 30);
}

TEST_F(Runs, TwiceTheSameBits) {
  PretrainRun(options("one")).run(monitor_, stop_);
  PretrainRun(options("two")).run(monitor_, stop_);
  EXPECT_EQ(model_hash("one"), model_hash("two"));
  EXPECT_EQ(metrics("one"), metrics("two"));
}

TEST_F(Runs, StoppedAndResumedGivesTheSameBits) {
  auto whole = options("whole");
  whole.train.log_every = 4;  // the line's window is cut by the stop
  PretrainRun(whole).run(monitor_, stop_);
  for (const int64_t at : {1, 3, 6}) {
    SCOPED_TRACE(at);
    auto o = options("cut" + std::to_string(at));
    o.train.log_every = 4;
    StopRequest stop;
    StopAt stopper(stop, at);
    std::string text;
    EXPECT_EQ(kind_of([&] { PretrainRun(o).run(stopper, stop); }, &text), ErrorKind::interrupted);
    EXPECT_NE(text.find("--resume"), std::string::npos) << text;
    EXPECT_NE(text.find("helio pretrain"), std::string::npos) << text;
    // Without being asked, unfinished work is neither used nor thrown away.
    EXPECT_EQ(kind_of([&] { PretrainRun(o).run(monitor_, stop_); }, &text), ErrorKind::usage);
    EXPECT_NE(text.find("--restart"), std::string::npos) << text;
    o.unfinished.resume = true;
    PretrainRun(o).run(monitor_, stop_);
    EXPECT_EQ(model_hash("cut" + std::to_string(at)), model_hash("whole"));
    EXPECT_EQ(metrics("cut" + std::to_string(at)), metrics("whole"));
  }
}

TEST_F(Runs, KilledAnywhereAndResumedGivesTheSameBits) {
  const auto prepare = [&](const std::string& name) {
    auto o = options(name);
    o.train.steps = kLongRun;
    o.train.save_every = 3;
    o.unfinished.resume = true;
    return o;
  };
  PretrainRun(prepare("whole")).run(monitor_, stop_);
  const auto newest_checkpoint = [](const fs::path& run) {
    std::string newest;
    std::error_code gone;  // folders come and go meanwhile
    for (fs::directory_iterator at(run / "checkpoints", gone), end; !gone && at != end;
         at.increment(gone)) {
      const std::string name = at->path().filename().string();
      if (name.starts_with("step-") &&
          (name.size() > newest.size() || (name.size() == newest.size() && name > newest)))
        newest = name;
    }
    return newest;
  };
  using Clock = std::chrono::steady_clock;
  auto o = prepare("killed");
  Rng rng(static_cast<uint64_t>(getpid()));
  int kills = 0;
  for (bool done = false; !done;) {
    const pid_t child = fork();
    if (child == 0) {
      // LibTorch's threads do not survive a fork: the child is a program of its own.
      setenv("HELIO_TRAIN_TEST_OUT", o.out.c_str(), 1);
      setenv("HELIO_TRAIN_TEST_RUN", o.run.c_str(), 1);
      setenv("HELIO_TRAIN_TEST_DIR", (dir_ / "").c_str(), 1);
      execl("/proc/self/exe", "helio_train_test", "--gtest_filter=KilledChild.*",
            "--gtest_also_run_disabled_tests", nullptr);
      _exit(127);
    }
    // Killed a few milliseconds after it wrote one more checkpoint: in a step, a save, an
    // evaluation.
    const std::string before = newest_checkpoint(o.run);
    std::optional<Clock::time_point> deadline;
    int status = 0;
    pid_t ended = 0;
    while ((ended = waitpid(child, &status, WNOHANG)) == 0 &&
           (!deadline || Clock::now() < *deadline)) {
      if (kills < 5 && !deadline && newest_checkpoint(o.run) != before)
        deadline = Clock::now() + std::chrono::microseconds(rng.below(40000));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (ended == 0) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      ++kills;
      continue;
    }
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    done = true;
  }
  EXPECT_GT(kills, 0);
  EXPECT_EQ(model_hash("killed"), model_hash("whole"));
  EXPECT_EQ(metrics("killed"), metrics("whole"));
}

// Run by the test above in a process of its own.
TEST(KilledChild, DISABLED_Trains) {
  const char* out = getenv("HELIO_TRAIN_TEST_OUT");
  if (!out) GTEST_SKIP() << "only as a child";
  const std::string dir = getenv("HELIO_TRAIN_TEST_DIR");
  PretrainOptions o;
  o.tokens = dir + "tokens";
  o.tokenizer = dir + "tokenizer";
  o.out = out;
  o.run = getenv("HELIO_TRAIN_TEST_RUN");
  o.sequence = 24;
  o.model = tiny_shape();
  o.sampling = tiny_sampling();
  o.train = tiny_training();
  o.train.steps = kLongRun;
  o.train.save_every = 3;
  o.unfinished.resume = true;
  SilentMonitor monitor;
  StopRequest stop;
  PretrainRun(o).run(monitor, stop);
}

TEST_F(Runs, CheckpointsOfAnotherRunOrDamagedAreNotUsed) {
  auto o = options("base");
  o.unfinished.resume = true;
  StopRequest stop;
  StopAt stopper(stop, 4);
  EXPECT_EQ(kind_of([&] { PretrainRun(o).run(stopper, stop); }), ErrorKind::interrupted);
  const fs::path checkpoints = fs::path(o.run) / "checkpoints";
  EXPECT_TRUE(fs::exists(checkpoints / "step-2") && fs::exists(checkpoints / "step-4"));
  // The newest is damaged: the one before it serves.
  write_file_atomic(checkpoints / "step-4" / "model.safetensors", "not this");
  PretrainRun(o).run(monitor_, stop_);
  PretrainRun(options("whole")).run(monitor_, stop_);
  EXPECT_EQ(model_hash("base"), model_hash("whole"));
  EXPECT_EQ(metrics("base"), metrics("whole"));
  // Another learning rate is another run.
  auto other = options("other");
  StopRequest again;
  StopAt stopper2(again, 4);
  EXPECT_EQ(kind_of([&] { PretrainRun(other).run(stopper2, again); }), ErrorKind::interrupted);
  other.train.lr = 1e-3;
  other.unfinished.resume = true;
  PretrainRun(other).run(monitor_, stop_);
  auto fresh = options("fresh");
  fresh.train.lr = 1e-3;
  PretrainRun(fresh).run(monitor_, stop_);
  EXPECT_EQ(model_hash("other"), model_hash("fresh"));
}

TEST_F(Runs, SamplesAreToldAtCheckpointsAndAtTheEnd) {
  auto o = options("base");
  o.sampling = {.samples = 2, .sample_tokens = 3};
  o.train.steps = 5;
  PretrainRun(o).run(monitor_, stop_);
  std::vector<int64_t> steps;
  for (const Json& line : read_all(fs::path(o.run) / "metrics.jsonl")) {
    if (!line.contains("samples")) continue;
    steps.push_back(line.at("step").get<int64_t>());
    ASSERT_EQ(line.at("samples").size(), 2u);
    for (const Json& sample : line.at("samples")) {
      EXPECT_FALSE(sample.at("prompt").get<std::string>().empty());
      EXPECT_TRUE(sample.at("text").is_string());
    }
  }
  EXPECT_EQ(steps, (std::vector<int64_t>{2, 4, 5}));
  auto none = options("none");
  none.sampling.samples = 0;
  PretrainRun(none).run(monitor_, stop_);
  EXPECT_EQ(read_file(fs::path(none.run) / "metrics.jsonl").find("samples"), std::string::npos);
}

TEST_F(Runs, RestartDropsWhatWasThere) {
  auto o = options("base");
  StopRequest stop;
  StopAt stopper(stop, 4);
  EXPECT_EQ(kind_of([&] { PretrainRun(o).run(stopper, stop); }), ErrorKind::interrupted);
  o.unfinished.restart = true;
  PretrainRun(o).run(monitor_, stop_);
  PretrainRun(options("whole")).run(monitor_, stop_);
  EXPECT_EQ(metrics("base"), metrics("whole"));
}

TEST_F(Runs, ContinuedPretrainingMeasuresItsStart) {
  auto o = options("more");
  o.init = base();
  o.tokenizer = "";
  const RunSummary more = PretrainRun(o).run(monitor_, stop_);
  const Json facts = load_manifest(dir_ / "models" / "base").facts;
  EXPECT_EQ(*more.heldout_start, facts["heldout_loss_end"].get<double>());
  EXPECT_EQ(load_manifest(o.out).inputs.back().role, "init");
}

TEST_F(Runs, ANotFiniteLossNamesStepAndDocumentsAndKeepsTheCheckpoint) {
  auto o = options("base");
  o.train.steps = 40;
  o.train.lr = 1e30;
  o.train.warmup_ratio = 0.1;  // step 1 has rate 0: a checkpoint before it breaks
  o.train.save_every = 1;
  std::string text;
  EXPECT_EQ(kind_of([&] { PretrainRun(o).run(monitor_, stop_); }, &text), ErrorKind::failed);
  EXPECT_NE(text.find("not finite"), std::string::npos) << text;
  EXPECT_NE(text.find("taking step"), std::string::npos) << text;
  EXPECT_NE(text.find(" #"), std::string::npos) << text;
  EXPECT_TRUE(fs::exists(fs::path(o.run) / "checkpoints" / "step-1" / "state.json"));
  EXPECT_FALSE(fs::exists(o.out));
}

TEST_F(Runs, RefusesWhatCannotWork) {
  std::string text;
  auto long_rows = options("x");
  long_rows.sequence = 300;
  EXPECT_EQ(kind_of([&] { PretrainRun run(long_rows); }, &text), ErrorKind::invalid);
  EXPECT_NE(text.find("256 positions"), std::string::npos) << text;
  auto heads = options("x");
  heads.model.heads = 5;
  EXPECT_EQ(kind_of([&] { PretrainRun run(heads); }), ErrorKind::invalid);
  auto lost = options("x");
  lost.tokenizer = (dir_ / "nowhere").string();
  EXPECT_EQ(kind_of([&] { PretrainRun run(lost); }), ErrorKind::not_found);
  make_dirs(dir_ / "empty");
  auto no_tokenizer = options("x");
  no_tokenizer.tokenizer = (dir_ / "empty").string();
  EXPECT_EQ(kind_of([&] { PretrainRun run(no_tokenizer); }), ErrorKind::not_found);
  // A vocabulary larger than the embedding.
  write_tokens(dir_ / "large", {.vocab_size = 300});
  auto large = options("x");
  large.tokens = (dir_ / "large").string();
  large.init = base();
  EXPECT_EQ(kind_of([&] { PretrainRun run(large); }, &text), ErrorKind::invalid);
  EXPECT_NE(text.find("embeddings"), std::string::npos) << text;
  // Shards of another tokenizer: the model made from `tokens` knows its own.
  auto other = options("x");
  write_tokens(dir_ / "others", {}, "another tokenizer");
  other.tokens = (dir_ / "others").string();
  other.tokenizer = "";
  other.init = base();
  EXPECT_EQ(kind_of([&] { PretrainRun run(other); }, &text), ErrorKind::invalid);
  EXPECT_NE(text.find("not made with the tokenizer"), std::string::npos) << text;
  // A folder of somebody else's.
  write_file_atomic(dir_ / "models" / "mine" / "thesis.txt", "do not touch");
  EXPECT_EQ(kind_of([&] { PretrainRun run(options("mine")); }), ErrorKind::invalid);
}

TEST_F(Runs, FineTuningLearnsAndResumes) {
  std::vector<Json> rows;
  for (int i = 0; i < 24; ++i)
    rows.push_back({{"instruction", "Say " + std::to_string(i % 3)},
                    {"input", ""},
                    {"output", "It is " + std::to_string(i % 3)}});
  rows.push_back({{"instruction", "nothing"}, {"input", ""}, {"output", " "}});
  const std::string data = write_rows("sft.jsonl", rows);
  const auto options_of = [&](const std::string& name) {
    SftOptions o;
    o.model = base();
    o.data = data;
    o.out = (dir_ / "models").string() + "/" + name;
    o.run = (dir_ / "runs").string() + "/" + name;
    o.max_length = 64;
    o.heldout = 0.2;
    o.sampling = tiny_sampling();
    o.train = tiny_training();
    o.train.steps = 12;
    return o;
  };
  const RunSummary summary = SftRun(options_of("whole")).run(monitor_, stop_);
  EXPECT_LT(summary.last_loss, summary.first_loss);
  EXPECT_EQ(load_manifest(dir_ / "models" / "whole").facts["examples_refused"]["empty_answer"], 1);
  auto o = options_of("cut");
  StopRequest stop;
  StopAt stopper(stop, 5);
  EXPECT_EQ(kind_of([&] { SftRun(o).run(stopper, stop); }), ErrorKind::interrupted);
  o.unfinished.resume = true;
  SftRun(o).run(monitor_, stop_);
  EXPECT_EQ(model_hash("cut"), model_hash("whole"));
  EXPECT_EQ(metrics("cut"), metrics("whole"));
}

}  // namespace
}  // namespace helio::train
