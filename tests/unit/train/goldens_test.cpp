// Against what transformers, torch.optim.AdamW and TRL did with the same checkpoint and rows
// (tools/record/train_tiny.py, tools/record/dpo_tiny.py).
#include <ATen/TensorOperators.h>

#include "core/error.h"
#include "support.h"
#include "train/objective.h"
#include "train/optimizer.h"

namespace helio::train {
namespace {

struct Taken {
  double loss = 0, grad_norm = 0;
  std::vector<Term> terms = {};
};

class Training {
 public:
  Training(const std::string& start, Optimizer::Options options)
      : model(model::Decoder::load(fixture(start))), optimizer(model.parameters(), options) {}

  void gather(const Objective& objective, const std::vector<MicroBatch>& batches, Taken& taken) {
    double weight = 0;
    for (const auto& batch : batches) weight += objective.weight(batch);
    for (const auto& batch : batches) {
      const Loss loss = objective.loss(model, batch);
      (loss.sum / weight).backward();
      taken.loss += loss.sum.item<double>() / weight;
      add_terms(taken.terms, loss.terms);
    }
  }
  Taken step(const Objective& objective, const std::vector<MicroBatch>& batches, double lr,
             double clip) {
    Taken taken;
    gather(objective, batches, taken);
    taken.grad_norm = optimizer.clip(clip);
    optimizer.step(lr);
    optimizer.clear_grads();
    return taken;
  }

  model::Decoder model;
  Optimizer optimizer;
};

std::vector<MicroBatch> pretrain_batch(const Json& step) {
  MicroBatch batch;
  for (const auto& ids : step.at("input_ids").get<std::vector<std::vector<int32_t>>>())
    batch.rows.push_back(row_of(ids, ids));
  return {batch};
}

std::vector<MicroBatch> sft_batches(const Json& step) {
  std::vector<MicroBatch> batches;
  for (const Json& micro : step.at("micro_batches")) {
    const auto ids = micro.at("input_ids").get<std::vector<std::vector<int32_t>>>();
    const auto labels = micro.at("labels").get<std::vector<std::vector<int32_t>>>();
    batches.emplace_back();
    for (size_t i = 0; i < ids.size(); ++i)
      batches.back().rows.push_back(row_of(ids[i], labels[i]));
  }
  return batches;
}

TEST(Pretraining, FollowsTransformersForTwelveSteps) {
  const Json settings = load_json(fixture("train_tiny/settings.json"));
  Training run("llama_tiny/gqa_untied", {.beta1 = settings["betas"][0],
                                         .beta2 = settings["betas"][1],
                                         .eps = settings["eps"],
                                         .weight_decay = settings["weight_decay"]});
  const auto objective = causal_lm();
  const auto steps = read_all(fixture("train_tiny/pretrain_steps.jsonl"));
  ASSERT_EQ(steps.size(), 12u);
  {
    Taken taken;
    run.gather(*objective, pretrain_batch(steps[0]), taken);
    expect_recorded(run.model, fixture("train_tiny/pretrain_grads_step1.safetensors"),
                    Compare::gradients, 1e-6);
    run.optimizer.clear_grads();
  }
  for (const Json& step : steps) {
    const Taken taken =
        run.step(*objective, pretrain_batch(step), step["lr"], settings["max_grad_norm"]);
    EXPECT_NEAR(taken.loss, step["loss"].get<double>(), 1e-4) << "step " << step["step"];
    EXPECT_NEAR(taken.grad_norm, step["grad_norm"].get<double>(), 1e-4) << "step " << step["step"];
  }
  expect_recorded(run.model, fixture("train_tiny/pretrain_final.safetensors"), Compare::weights,
                  1e-4);
}

TEST(FineTuning, WeighsMicroBatchesByTheirTargetsAsTransformersDoes) {
  Training run("llama_tiny/gqa_untied",
               {.beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .weight_decay = 0.1});
  const auto objective = causal_lm();
  const auto steps = read_all(fixture("train_tiny/sft_steps.jsonl"));
  {
    Taken taken;
    run.gather(*objective, sft_batches(steps[0]), taken);
    expect_recorded(run.model, fixture("train_tiny/sft_grads_step1.safetensors"),
                    Compare::gradients, 1e-6);
    run.optimizer.clear_grads();
  }
  for (const Json& step : steps) {
    const auto batches = sft_batches(step);
    double targets = 0;
    for (const auto& batch : batches) targets += objective->weight(batch);
    EXPECT_EQ(targets, step["targets"].get<double>());
    const Taken taken = run.step(*objective, batches, step["lr"], 100.0);
    EXPECT_NEAR(taken.loss, step["loss"].get<double>(), 1e-4);
    EXPECT_NEAR(taken.grad_norm, step["grad_norm"].get<double>(), 1e-4);
  }
  expect_recorded(run.model, fixture("train_tiny/sft_final.safetensors"), Compare::weights, 1e-4);
}

TEST(Accumulation, ManyMicroBatchesAreOneBatch) {
  const auto objective = causal_lm();
  const auto step = read_all(fixture("train_tiny/sft_steps.jsonl")).front();
  const auto cut = sft_batches(step);
  std::vector<MicroBatch> whole(1), single;
  for (const auto& batch : cut)
    for (const auto& row : batch.rows) {
      whole[0].rows.push_back(row);
      single.push_back({.rows = {row}});
    }
  Training one("llama_tiny/gqa_untied", {}), two("llama_tiny/gqa_untied", {}),
      five("llama_tiny/gqa_untied", {});
  Taken a, b, c;
  one.gather(*objective, whole, a);
  two.gather(*objective, cut, b);
  five.gather(*objective, single, c);
  EXPECT_NEAR(a.loss, b.loss, 1e-6);
  EXPECT_NEAR(a.loss, c.loss, 1e-6);
  for (size_t i = 0; i < one.model.parameters().size(); ++i) {
    const auto grad = [&](Training& run) { return run.model.parameters()[i].tensor.grad(); };
    EXPECT_LT(difference(grad(one), grad(two)), 1e-6) << one.model.parameters()[i].name;
    EXPECT_LT(difference(grad(one), grad(five)), 1e-6) << one.model.parameters()[i].name;
  }
}

struct Pairs {
  std::vector<EncodedPreference> pairs = {};
  std::vector<PairScore> policy = {}, reference = {};
  std::vector<Json> rows = {};
};

Pairs recorded_pairs() {
  Pairs all;
  all.rows = read_all(fixture("dpo_tiny/pairs.jsonl"));
  for (const Json& row : all.rows) {
    all.pairs.push_back({.id = "pair",
                         .prompt = row["prompt_ids"],
                         .chosen = row["chosen_ids"],
                         .rejected = row["rejected_ids"]});
    all.policy.push_back({row["policy_logps"][0], row["policy_logps"][1]});
    all.reference.push_back({row["reference_logps"][0], row["reference_logps"][1]});
  }
  return all;
}

MicroBatch batch_of(const Pairs& all, const std::vector<size_t>& which) {
  MicroBatch batch;
  for (const size_t i : which) {
    batch.rows.push_back(answer_row(all.pairs[i], Side::chosen));
    batch.rows.push_back(answer_row(all.pairs[i], Side::rejected));
    batch.reference.insert(batch.reference.end(),
                           {all.reference[i].chosen, all.reference[i].rejected});
  }
  return batch;
}

// The objectives as the fixture names them.
DpoOptions recorded_objective(const std::string& name) {
  if (name == "sigmoid_smoothed") return {.loss = "sigmoid", .beta = 0.1, .label_smoothing = 0.1};
  if (name == "robust") return {.loss = "robust", .beta = 0.1, .label_smoothing = 0.1};
  return {.loss = name, .beta = 0.1, .label_smoothing = 0};
}

void expect_terms(const std::vector<Term>& terms, const Json& recorded) {
  for (const char* name : {"rewards/chosen", "rewards/rejected", "rewards/margins",
                           "rewards/accuracies", "logps/chosen", "logps/rejected"}) {
    const auto term =
        std::find_if(terms.begin(), terms.end(), [&](const Term& t) { return t.name == name; });
    ASSERT_NE(term, terms.end()) << name;
    EXPECT_NEAR(term->sum / term->weight, recorded[name].get<double>(), 1e-4) << name;
  }
}

TEST(Dpo, ScoresPairsAsTrl) {
  const Pairs all = recorded_pairs();
  const auto policy = model::Decoder::load(fixture("llama_tiny/gqa_untied"));
  const auto reference = model::Decoder::load(fixture("dpo_tiny/reference"));
  for (const int64_t batch_tokens : {1, 100000}) {
    const auto ours = score_pairs(policy, all.pairs, batch_tokens, [](int64_t) {});
    const auto theirs = score_pairs(reference, all.pairs, batch_tokens, [](int64_t) {});
    for (size_t i = 0; i < all.pairs.size(); ++i) {
      EXPECT_NEAR(ours[i].chosen, all.policy[i].chosen, 1e-4);
      EXPECT_NEAR(ours[i].rejected, all.policy[i].rejected, 1e-4);
      EXPECT_NEAR(theirs[i].chosen, all.reference[i].chosen, 1e-4);
      EXPECT_NEAR(theirs[i].rejected, all.reference[i].rejected, 1e-4);
    }
  }
}

TEST(Dpo, LossesAndRewardsAreTrls) {
  const Pairs all = recorded_pairs();
  const Json batch = load_json(fixture("dpo_tiny/batch.json"));
  for (const auto& [name, recorded] : batch.items()) {
    SCOPED_TRACE(name);
    const auto objective = dpo(recorded_objective(name));
    Training run("llama_tiny/gqa_untied", {});
    const double scale = std::max(1.0, recorded["loss"].get<double>());
    for (size_t i = 0; i < all.pairs.size(); ++i) {
      const c10::AutoGradMode no_grad(false);
      const Loss one = objective->loss(run.model, batch_of(all, {i}));
      EXPECT_NEAR(one.sum.item<double>(), all.rows[i]["loss"][name].get<double>(), 1e-4 * scale)
          << "pair " << i;
    }
    Taken taken;
    run.gather(*objective, {batch_of(all, {0, 1, 2, 3, 4, 5})}, taken);
    EXPECT_NEAR(taken.loss, recorded["loss"].get<double>(), 1e-5 * scale);
    expect_terms(taken.terms, recorded);
    if (name == "sigmoid")
      expect_recorded(run.model, fixture("dpo_tiny/batch_grads.safetensors"), Compare::gradients,
                      1e-6);
    EXPECT_NEAR(run.optimizer.clip(0), recorded["grad_norm"].get<double>(),
                1e-4 * std::max(1.0, recorded["grad_norm"].get<double>()));
  }
}

TEST(Dpo, MicroBatchesOfPairsAreOneBatch) {
  const Pairs all = recorded_pairs();
  const auto objective = dpo({});
  Training one("llama_tiny/gqa_untied", {}), three("llama_tiny/gqa_untied", {});
  Taken a, b;
  one.gather(*objective, {batch_of(all, {0, 1, 2, 3, 4, 5})}, a);
  three.gather(*objective, {batch_of(all, {0}), batch_of(all, {1, 2, 3}), batch_of(all, {4, 5})},
               b);
  EXPECT_NEAR(a.loss, b.loss, 1e-6);
  for (size_t i = 0; i < a.terms.size(); ++i)
    EXPECT_NEAR(a.terms[i].sum / a.terms[i].weight, b.terms[i].sum / b.terms[i].weight, 1e-5)
        << a.terms[i].name;
  for (size_t i = 0; i < one.model.parameters().size(); ++i)
    EXPECT_LT(difference(one.model.parameters()[i].tensor.grad(),
                         three.model.parameters()[i].tensor.grad()),
              1e-6);
}

TEST(Dpo, FollowsTrlForFiveSteps) {
  const Pairs all = recorded_pairs();
  Training run("llama_tiny/gqa_untied",
               {.beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .weight_decay = 0});
  const auto objective = dpo({});
  for (const Json& step : read_all(fixture("dpo_tiny/steps.jsonl"))) {
    const Taken taken = run.step(*objective, {batch_of(all, step["pairs"])}, step["lr"], 1.0);
    EXPECT_NEAR(taken.loss, step["loss"].get<double>(), 1e-4);
    EXPECT_NEAR(taken.grad_norm, step["grad_norm"].get<double>(), 1e-3);
    expect_terms(taken.terms, step);
  }
  expect_recorded(run.model, fixture("dpo_tiny/final.safetensors"), Compare::weights, 1e-4);
}

TEST(Dpo, LossIsLogTwoWhenThePolicyIsTheReference) {
  Pairs all = recorded_pairs();
  all.reference = all.policy;
  const auto model = model::Decoder::load(fixture("llama_tiny/gqa_untied"));
  const c10::AutoGradMode no_grad(false);
  const Loss loss = dpo({})->loss(model, batch_of(all, {0, 1, 2}));
  EXPECT_NEAR(loss.sum.item<double>() / loss.weight, std::log(2.0), 1e-5);
}

TEST(Dpo, MeanLogitsNeedNoLogits) {
  const Pairs all = recorded_pairs();
  const auto model = model::Decoder::load(fixture("llama_tiny/gqa_untied"));
  const c10::AutoGradMode no_grad(false);
  const MicroBatch batch = batch_of(all, {0, 1});
  const Loss loss = dpo({})->loss(model, batch);
  double sum = 0, count = 0;
  for (const size_t i : {0u, 2u}) {  // the chosen rows
    const PackedRows packed = pack({batch.rows[i]});
    const at::Tensor mean_N = model.logits(model.hidden(packed.batch)).squeeze(0).mean(-1);
    const at::Tensor counted_N = packed.targets_N.ne(kNotLearned).to(at::kFloat);
    sum += (mean_N * counted_N).sum().item<double>();
    count += counted_N.sum().item<double>();
  }
  const auto term = std::find_if(loss.terms.begin(), loss.terms.end(),
                                 [](const Term& t) { return t.name == "logits/chosen"; });
  ASSERT_NE(term, loss.terms.end());
  EXPECT_NEAR(term->sum / term->weight, sum / count, 1e-5);
}

TEST(Dpo, RefusesOptionsWithoutMeaning) {
  EXPECT_THROW(dpo({.loss = "ipo", .label_smoothing = 0.1}), Error);
  EXPECT_THROW(dpo({.loss = "robust", .label_smoothing = 0.5}), Error);
  EXPECT_THROW(dpo({.beta = 0}), Error);
}

}  // namespace
}  // namespace helio::train
