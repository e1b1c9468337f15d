// Muon and Adafactor against torch.optim.Muon and transformers' Adafactor
// (tools/record/optimizers_tiny.py), and whole runs with each.
#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros_like.h>

#include <fstream>
#include <map>

#include "run_fixture.h"
#include "text/token_shards.h"
#include "train/compute.h"
#include "train/optimizer.h"
#include "train/spike_guard.h"

namespace helio::train {
namespace {

const fs::path kRecorded = fixture("optimizers_tiny");

void expect_followed(const std::string& kind, const std::vector<std::string>& names,
                     const std::function<std::unique_ptr<UpdateRule>(std::vector<Slot>)>& make,
                     double tolerance) {
  const Json settings = load_json(kRecorded / "settings.json");
  const checkpoint::SafeTensors start(kRecorded / "start.safetensors"),
      grads(kRecorded / "grads.safetensors"), final(kRecorded / "final.safetensors");
  std::vector<Slot> slots;
  for (const std::string& name : names) {
    const at::Tensor weight = nn::read_tensor(start, start.at(name));
    slots.push_back({name, weight, weight.dim() == 2 ? settings["weight_decay"].get<double>() : 0});
  }
  const auto rule = make(slots);
  const c10::AutoGradMode no_grad(false);
  const auto lrs = settings["lrs"].get<std::vector<double>>();
  for (size_t step = 0; step < lrs.size(); ++step) {
    for (Slot& slot : slots)
      slot.weight.mutable_grad() =
          nn::read_tensor(grads, grads.at(std::to_string(step) + "." + slot.name));
    rule->step(lrs[step], static_cast<int64_t>(step) + 1);
  }
  for (const Slot& slot : slots) {
    const at::Tensor recorded = nn::read_tensor(final, final.at(kind + "." + slot.name));
    EXPECT_LT(difference(slot.weight, recorded), tolerance) << kind << " " << slot.name;
    EXPECT_GT(difference(slot.weight, nn::read_tensor(start, start.at(slot.name))), 0.01);
  }
}

// The iteration is in bfloat16: products may round otherwise on another processor.
TEST(Muon, IsTorchs) {
  for (const auto& [kind, scale] : {std::pair("muon_as_adamw", MuonScale::as_adamw),
                                    std::pair("muon_original", MuonScale::original)})
    expect_followed(
        kind, {"tall", "wide"},
        [scale = scale](std::vector<Slot> slots) {
          return muon(std::move(slots), {.momentum = 0.95, .scale = scale});
        },
        2e-3);
}

TEST(Adafactor, IsTransformers) {
  expect_followed("adafactor", {"tall", "wide", "vector"}, &adafactor, 1e-6);
}

// After a first step from nothing the moments are 0.1 g and 0.05 g^2: each must have the code of
// the nearest value of bitsandbytes' maps.
void expect_nearest(const at::Tensor& moment, const at::Tensor& codes, const at::Tensor& largest,
                    const at::Tensor& map) {
  const at::Tensor values = moment.reshape({-1}), places = codes.reshape({-1}).to(at::kLong);
  for (int64_t block = 0; block < largest.size(0); ++block) {
    const int64_t begin = block * 256, end = std::min(values.size(0), begin + 256);
    const at::Tensor x = values.slice(0, begin, end) / largest[block];
    const at::Tensor ours = (map.index_select(0, places.slice(0, begin, end)) - x).abs();
    const at::Tensor least = std::get<0>((map.unsqueeze(0) - x.unsqueeze(1)).abs().min(1));
    EXPECT_LT(difference(ours, least), 1e-7) << block;
  }
}

TEST(AdamW8bit, IsBitsandbytes) {
  const fs::path recorded = fixture("adamw8bit_tiny");
  const Json settings = load_json(recorded / "settings.json");
  const checkpoint::SafeTensors start(recorded / "start.safetensors"),
      grads(recorded / "grads.safetensors"), final(recorded / "final.safetensors"),
      maps(recorded / "maps.safetensors");
  const c10::AutoGradMode no_grad(false);
  at::Tensor weight = nn::read_tensor(start, start.at("weight"));
  const auto rule = adamw8bit(
      {{"weight", weight, settings["weight_decay"].get<double>()}},
      {.beta1 = settings["betas"][0], .beta2 = settings["betas"][1], .eps = settings["eps"]});
  std::map<std::string, at::Tensor> state;
  for (const auto& [name, tensor] : rule->state()) state[name] = tensor;
  const auto lrs = settings["lrs"].get<std::vector<double>>();
  for (size_t step = 0; step < lrs.size(); ++step) {
    const at::Tensor grad = nn::read_tensor(grads, grads.at(std::to_string(step) + ".weight"));
    weight.mutable_grad() = grad;
    rule->step(lrs[step], static_cast<int64_t>(step) + 1);
    if (step > 0) continue;
    expect_nearest(grad * 0.1, state.at("exp_avg_code.weight"), state.at("exp_avg_largest.weight"),
                   nn::read_tensor(maps, maps.at("signed")));
    expect_nearest(grad.square() * 0.05, state.at("exp_avg_sq_code.weight"),
                   state.at("exp_avg_sq_largest.weight"),
                   nn::read_tensor(maps, maps.at("unsigned")));
  }
  // bitsandbytes' own search misses the nearest value for one in 700: its states part a little.
  const at::Tensor wanted = nn::read_tensor(final, final.at("weight"));
  EXPECT_LT(difference(weight, wanted), 2e-3);
  EXPECT_LT((weight - wanted).norm().item<double>() / wanted.norm().item<double>(), 1e-4);
  for (const auto& [ours, theirs] :
       {std::pair("exp_avg_code.weight", "first"), std::pair("exp_avg_sq_code.weight", "second")}) {
    const at::Tensor other =
        state.at(ours).to(at::kInt).sub(nn::read_tensor(final, final.at(theirs)).to(at::kInt)) != 0;
    EXPECT_LT(other.sum().item<int64_t>(), weight.numel() / 100) << ours;
  }
}

class OptimizerRuns : public Runs {};

TEST_F(OptimizerRuns, LearnAndResumeToTheBit) {
  for (const std::string kind : {"muon", "adafactor", "adamw8bit"}) {
    SCOPED_TRACE(kind);
    const auto options_of = [&](const std::string& name) {
      auto o = options(name + kind);
      o.train.steps = 12;
      o.train.optimizer = kind;
      o.train.lr = kind == "adamw8bit" ? 0.005 : 0.02;
      o.train.ema = 0.8;
      o.train.noise_scale = true;
      o.train.spike_factor = 50;
      return o;
    };
    const auto whole = options_of("whole");
    const RunSummary summary = PretrainRun(whole).run(monitor_, stop_);
    EXPECT_LT(*summary.heldout_end, *summary.heldout_start - 0.2);
    auto cut = options_of("cut");
    cut.train.stop_after = 5;
    std::string text;
    EXPECT_EQ(kind_of([&] { PretrainRun(cut).run(monitor_, stop_); }, &text),
              ErrorKind::interrupted);
    EXPECT_NE(text.find("stopped at step 5 of 12"), std::string::npos) << text;
    cut.train.stop_after = 0;  // decides nothing: still the same run
    cut.unfinished.resume = true;
    PretrainRun(cut).run(monitor_, stop_);
    EXPECT_EQ(model_hash("cut" + kind), model_hash("whole" + kind));
    EXPECT_EQ(metrics("cut" + kind), metrics("whole" + kind));
  }
}

TEST_F(OptimizerRuns, KeepTheAverageAndTheBestBesideTheModel) {
  auto o = options("averaged");
  o.train.steps = 9;
  o.train.validate_every = 3;
  o.train.ema = 0.5;
  o.train.keep_best = true;
  const RunSummary summary = PretrainRun(o).run(monitor_, stop_);
  EXPECT_GT(summary.best_step, 0);
  const auto last = model::Decoder::load(o.out), average = model::Decoder::load(o.out + "/ema"),
             best = model::Decoder::load(o.out + "/best");
  EXPECT_TRUE(fs::exists(fs::path(o.out) / "ema" / "tokenizer.json"));
  const c10::AutoGradMode no_grad(false);
  double ema_apart = 0, best_apart = 0;
  for (size_t i = 0; i < last.parameters().size(); ++i) {
    const at::Tensor weight = last.parameters()[i].tensor;
    ema_apart = std::max(ema_apart, difference(weight, average.parameters()[i].tensor));
    best_apart = std::max(best_apart, difference(weight, best.parameters()[i].tensor));
  }
  EXPECT_GT(ema_apart, 1e-6);
  EXPECT_LT(ema_apart, 0.05);
  EXPECT_EQ(best_apart == 0, summary.best_step == 9);
}

TEST_F(OptimizerRuns, RecomputingLayersChangesNoBit) {
  auto o = options("kept");
  o.sequence = 96;  // enough rows for the layers that keep less
  PretrainRun(o).run(monitor_, stop_);
  auto again = options("again");
  again.sequence = 96;
  again.train.recompute = true;
  PretrainRun(again).run(monitor_, stop_);
  EXPECT_EQ(metrics("kept"), metrics("again"));
  const auto weights = [](const PretrainOptions& of) {
    return read_file(fs::path(of.out) / "model.safetensors");
  };
  EXPECT_EQ(weights(o), weights(again));
}

TEST_F(OptimizerRuns, Bfloat16ProductsLearnAsWell) {
  auto exact = options("exact");
  exact.sequence = 96;
  exact.train.steps = 20;
  const RunSummary wanted = PretrainRun(exact).run(monitor_, stop_);
  auto o = options("rounded");
  o.sequence = 96;
  o.train.steps = 20;
  o.train.dtype = "bfloat16";
  const RunSummary summary = PretrainRun(o).run(monitor_, stop_);
  EXPECT_NE(summary.last_loss, wanted.last_loss);
  EXPECT_NEAR(summary.last_loss, wanted.last_loss, 0.05);
  EXPECT_EQ(load_manifest(o.out).facts["products"], "bfloat16");
  EXPECT_EQ(load_manifest(exact.out).facts["products"], "float32");
}

TEST(Precision, AutoTakesBfloat16WhereTheProcessorSaysItMultipliesIt) {
  std::ifstream info("/proc/cpuinfo");
  const std::string flags((std::istreambuf_iterator<char>(info)), {});
  const bool faster = flags.find(" amx_bf16") != std::string::npos ||
                      flags.find(" avx512_bf16") != std::string::npos;
  EXPECT_EQ(forward_options({.dtype = "auto"}).products, faster ? at::kBFloat16 : at::kFloat);
  EXPECT_EQ(forward_options({.dtype = "bfloat16"}).products, at::kBFloat16);
  EXPECT_EQ(forward_options({}).products, at::kFloat);
}

TEST_F(OptimizerRuns, HeldoutLossIsAlsoToldByLot) {
  auto o = options("lots");
  o.train.z_loss = 1e-3;
  PretrainRun(o).run(monitor_, stop_);
  const text::TokenShards heldout(o.tokens, "heldout");
  int64_t validations = 0;
  for (const Json& row : read_all(fs::path(o.run) / "metrics.jsonl")) {
    if (row.contains("loss")) {
      EXPECT_GT(row["z_loss"].get<double>(), 0);
      EXPECT_LT(row["z_loss"].get<double>(), 0.1 * row["loss"].get<double>());
    }
    if (!row.contains("eval/loss")) continue;
    ++validations;
    EXPECT_FALSE(row.contains("eval/loss_by_language/en")) << "all are of one language";
    double sum = 0;
    for (const auto& lot : heldout.lots())
      sum += row["eval/loss_by_lot/" + lot.lot].get<double>() * static_cast<double>(lot.tokens);
    EXPECT_NEAR(sum / static_cast<double>(heldout.tokens()), row["eval/loss"].get<double>(), 1e-4);
  }
  EXPECT_EQ(validations, 2);
}

TEST(SpikeGuardRule, NamesWhatStandsOut) {
  SpikeGuard guard(5);
  for (int i = 0; i < 12; ++i) EXPECT_EQ(guard.judge(3 - 0.01 * i, 1 + 0.05 * (i % 3)), "");
  EXPECT_NE(guard.judge(2.9, 9).find("gradient"), std::string::npos);
  EXPECT_NE(guard.judge(8, 1).find("loss"), std::string::npos);
  EXPECT_EQ(guard.spikes(), 2);
  EXPECT_EQ(guard.in_a_row(), 2);
  SpikeGuard resumed(5);
  resumed.restore(Json::parse(guard.state().dump()));
  EXPECT_EQ(resumed.judge(2.9, 1.1), "");
  EXPECT_EQ(resumed.in_a_row(), 0);
  EXPECT_NE(resumed.judge(2.9, 9), "") << "what was a spike is not remembered as usual";
  SpikeGuard off(0);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(off.judge(i * 100, i * 100), "");
}

TEST_F(OptimizerRuns, SpikesAreLeftOutOrStop) {
  // Every step is a spike once there are enough to compare with.
  auto o = options("spiky");
  o.train.steps = 30;
  o.train.spike_factor = 0.01;
  std::string text;
  EXPECT_EQ(kind_of([&] { PretrainRun(o).run(monitor_, stop_); }, &text), ErrorKind::failed);
  EXPECT_NE(text.find("10 spikes in a row"), std::string::npos) << text;
  EXPECT_NE(text.find("taking step 18 of 30"), std::string::npos) << text;
  EXPECT_NE(text.find(" #"), std::string::npos) << text;
  EXPECT_TRUE(fs::exists(fs::path(o.run) / "checkpoints" / "step-16" / "state.json"));
  const std::string log = read_file(fs::path(o.run) / "log.txt");
  EXPECT_NE(log.find("step 9 is left out: the gradient's norm"), std::string::npos) << log;

  auto strict = options("strict");
  strict.train.steps = 30;
  strict.train.spike_factor = 0.01;
  strict.train.spike_action = "stop";
  EXPECT_EQ(kind_of([&] { PretrainRun(strict).run(monitor_, stop_); }, &text), ErrorKind::failed);
  EXPECT_NE(text.find("taking step 9 of 30"), std::string::npos) << text;
}

TEST_F(OptimizerRuns, LimitsOfACallSaveAndStop) {
  auto o = options("limited");
  o.train.time_limit = 1e-6;
  o.train.keep_last = 1;
  for (int calls = 1; calls < 6; ++calls) {  // a step a call
    EXPECT_EQ(kind_of([&] { PretrainRun(o).run(monitor_, stop_); }), ErrorKind::interrupted);
    o.unfinished.resume = true;
    std::vector<std::string> kept;
    for (const auto& entry : fs::directory_iterator(fs::path(o.run) / "checkpoints"))
      kept.push_back(entry.path().filename());
    EXPECT_EQ(kept, std::vector<std::string>{"step-" + std::to_string(calls)});
  }
  PretrainRun(o).run(monitor_, stop_);
  PretrainRun(options("whole")).run(monitor_, stop_);
  EXPECT_EQ(model_hash("limited"), model_hash("whole"));
}

TEST_F(OptimizerRuns, AnAverageHasNoMeaningWithLora) {
  auto o = options("both");
  o.init = base();
  o.tokenizer = "";
  o.train.ema = 0.9;
  o.train.lora_rank = 2;
  EXPECT_EQ(kind_of([&] { PretrainRun(o).run(monitor_, stop_); }), ErrorKind::usage);
}

}  // namespace
}  // namespace helio::train
