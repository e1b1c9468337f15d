// LoRA against PEFT (tools/record/lora_tiny.py), and whole runs with it.
#include "train/lora.h"

#include <ATen/TensorOperators.h>

#include "run_fixture.h"
#include "train/objective.h"
#include "train/optimizer.h"
#include "train/sft.h"

namespace helio::train {
namespace {

std::vector<MicroBatch> batch_of(const Json& step) {
  MicroBatch batch;
  for (const auto& ids : step.at("input_ids").get<std::vector<std::vector<int32_t>>>())
    batch.rows.push_back(row_of(ids, ids));
  return {batch};
}

TEST(LoraSteps, ArePefts) {
  const Json settings = load_json(fixture("lora_tiny/settings.json"));
  auto model = model::Decoder::load(fixture("llama_tiny/gqa_untied"));
  Lora lora(model, {.rank = settings["rank"],
                    .alpha = settings["alpha"],
                    .targets = {"*.q_proj.weight", "*.down_proj.weight"}});
  const checkpoint::SafeTensors start(fixture("lora_tiny/start.safetensors"));
  ASSERT_EQ(lora.parameters().size(), start.tensors().size());
  lora.load(start);
  Optimizer optimizer(lora.parameters(), {.beta1 = 0.9, .beta2 = 0.95, .weight_decay = 0.1});
  const auto objective = causal_lm();
  const auto rows = read_all(fixture("train_tiny/pretrain_steps.jsonl"));
  for (const Json& step : read_all(fixture("lora_tiny/steps.jsonl"))) {
    const auto batch = batch_of(rows[step["step"].get<size_t>() - 1]);
    const Loss loss = objective->loss(model, batch.front());
    (loss.sum / loss.weight).backward();
    lora.take_gradients();
    EXPECT_NEAR(loss.sum.item<double>() / loss.weight, step["loss"].get<double>(), 1e-4);
    EXPECT_NEAR(optimizer.clip(0), step["grad_norm"].get<double>(), 1e-4);
    optimizer.step(step["lr"]);
    optimizer.clear_grads();
    lora.apply();
  }
  const c10::AutoGradMode no_grad(false);
  const checkpoint::SafeTensors final(fixture("lora_tiny/final.safetensors"));
  for (const auto& [name, tensor] : lora.parameters())
    EXPECT_LT(difference(tensor, nn::read_tensor(final, final.at(name))), 1e-4) << name;
  const Loss merged = objective->loss(model, batch_of(rows[0]).front());
  EXPECT_NEAR(merged.sum.item<double>() / merged.weight, settings["merged_loss"].get<double>(),
              1e-4);
}

class LoraRuns : public Runs {};

TEST_F(LoraRuns, AreMergedKeptInPeftsLayoutAndResumedToTheBit) {
  std::vector<Json> rows;
  for (int i = 0; i < 8; ++i)
    rows.push_back({{"prompt", "Q" + std::to_string(i)}, {"completion", "A" + std::to_string(i)}});
  const std::string data = write_rows("sft.jsonl", rows);
  const auto options_of = [&](const std::string& name) {
    SftOptions o;
    o.model = base();
    o.data = data;
    o.out = (dir_ / "models").string() + "/" + name;
    o.run = (dir_ / "runs").string() + "/" + name;
    o.max_length = 64;
    o.heldout = 0;
    o.sampling = tiny_sampling();
    o.train = tiny_training();
    o.train.steps = 6;
    o.train.lora_rank = 2;
    return o;
  };
  const auto whole = options_of("whole");
  const RunSummary summary = SftRun(whole).run(monitor_, stop_);
  EXPECT_LT(summary.last_loss, summary.first_loss);
  auto cut = options_of("cut");
  StopRequest stop;
  StopAt stopper(stop, 3);
  EXPECT_EQ(kind_of([&] { SftRun(cut).run(stopper, stop); }), ErrorKind::interrupted);
  cut.unfinished.resume = true;
  SftRun(cut).run(monitor_, stop_);
  EXPECT_EQ(model_hash("cut"), model_hash("whole"));

  const fs::path adapter = fs::path(whole.out) / "adapter";
  const Json config = load_json(adapter / "adapter_config.json");
  EXPECT_EQ(config["target_modules"],
            Json({"down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"}));
  // The base with the adapter is the merged model.
  auto model = model::Decoder::load(whole.model);
  Lora lora(model, {.rank = 2});
  lora.load(checkpoint::SafeTensors(adapter / "adapter_model.safetensors"));
  const auto merged = model::Decoder::load(whole.out);
  const c10::AutoGradMode no_grad(false);
  for (size_t i = 0; i < model.parameters().size(); ++i)
    EXPECT_EQ(difference(model.parameters()[i].tensor, merged.parameters()[i].tensor), 0)
        << model.parameters()[i].name;

  auto bad = options_of("bad");
  bad.train.freeze = {"model.*"};
  EXPECT_EQ(kind_of([&] { SftRun(bad).run(monitor_, stop_); }), ErrorKind::usage);
  bad.train.freeze.clear();
  bad.train.lora_targets = {"nothing"};
  EXPECT_EQ(kind_of([&] { SftRun(bad).run(monitor_, stop_); }), ErrorKind::invalid);
}

}  // namespace
}  // namespace helio::train
