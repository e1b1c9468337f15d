// Against what transformers, torch.optim.AdamW and TRL did with the same checkpoint and rows
// (tools/record/train_tiny.py, tools/record/dpo_tiny.py).
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/error.h"
#include "nn/linear_loss.h"
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

// Of a run's settings.json: AdamW's.
Optimizer::Options recorded_options(const Json& settings) {
  return {.beta1 = settings["betas"][0],
          .beta2 = settings["betas"][1],
          .eps = settings["eps"],
          .weight_decay = settings["weight_decay"]};
}

TEST(Pretraining, FollowsTransformersForTwelveSteps) {
  const Json settings = load_json(fixture("train_tiny/settings.json"));
  Training run("llama_tiny/gqa_untied", recorded_options(settings));
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

// Losses without rounding: a definition that differed in anything (decay groups, epsilon, order of
// clipping, bias corrections) would be further from them than float32's own rounding is.
TEST(Pretraining, StaysAtFloat64sLossesForTwentySteps) {
  const Json settings = load_json(fixture("train_f64_tiny/settings.json"));
  Training run("llama_tiny/gqa_untied", recorded_options(settings));
  const auto objective = causal_lm();
  const auto steps = read_all(fixture("train_f64_tiny/steps.jsonl"));
  ASSERT_EQ(steps.size(), 20u);
  double ours = 0, theirs = 0;
  for (const Json& step : steps) {
    const Taken taken =
        run.step(*objective, pretrain_batch(step), step["lr"], settings["max_grad_norm"]);
    const double exact = step["loss_f64"];
    ours = std::max(ours, std::abs(taken.loss - exact));
    theirs = std::max(theirs, std::abs(step["loss_f32"].get<double>() - exact));
    EXPECT_NEAR(taken.grad_norm, step["grad_norm_f64"].get<double>(), 1e-5);
  }
  EXPECT_LT(ours, 1e-5) << "transformers in float32 is " << theirs << " apart";
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
  std::vector<EncodedPreference> pairs;
  std::vector<PairScore> reference;
  for (const size_t i : which) {
    pairs.push_back(all.pairs[i]);
    reference.push_back(all.reference[i]);
  }
  const auto count = static_cast<int64_t>(which.size());
  MicroBatch batch =
      PreferenceBatches(pairs, reference, {.order = {.batch_size = count}}).step(1).front();
  return batch;
}

std::unique_ptr<Objective> objective_of(const std::string& loss, PairLossOptions options = {}) {
  return preference_objective(LossFormula(loss, options));
}

// The objectives as the fixture names them.
std::unique_ptr<Objective> recorded_objective(const std::string& name) {
  if (name == "sigmoid_smoothed") return objective_of("sigmoid", {.label_smoothing = 0.1});
  if (name == "robust") return objective_of("robust", {.label_smoothing = 0.1});
  return objective_of(name);
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
    const auto objective = recorded_objective(name);
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
  const auto objective = objective_of("sigmoid+sft");
  const auto batches_of = [&](int64_t size) {
    return PreferenceBatches(all.pairs, all.reference,
                             {.order = {.batch_size = 6}, .micro_batch_size = size})
        .step(1);
  };
  Training one("llama_tiny/gqa_untied", {}), three("llama_tiny/gqa_untied", {});
  Taken a, b;
  one.gather(*objective, batches_of(0), a);
  three.gather(*objective, batches_of(2), b);
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
  const auto objective = objective_of("sigmoid");
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
  const Loss loss = objective_of("sigmoid")->loss(model, batch_of(all, {0, 1, 2}));
  EXPECT_NEAR(loss.sum.item<double>() / loss.weight, std::log(2.0), 1e-5);
}

TEST(Dpo, MeanLogitsNeedNoLogits) {
  const Pairs all = recorded_pairs();
  const auto model = model::Decoder::load(fixture("llama_tiny/gqa_untied"));
  const c10::AutoGradMode no_grad(false);
  const MicroBatch batch = batch_of(all, {0, 1});
  const Loss loss = objective_of("sigmoid")->loss(model, batch);
  double sum = 0, count = 0;
  const PackedRows packed = pack(batch.rows, SharedPrompt::apart);
  const at::Tensor mean_N = model.logits(model.hidden(packed.batch)).squeeze(0).mean(-1);
  for (size_t i = 0; i < 2; ++i) {
    const auto place = packed.branches[i][static_cast<size_t>(batch.pairs[i].chosen)];
    sum += mean_N.slice(0, place.begin, place.end).sum().item<double>();
    count += static_cast<double>(place.end - place.begin);
  }
  const auto term = std::find_if(loss.terms.begin(), loss.terms.end(),
                                 [](const Term& t) { return t.name == "logits/chosen"; });
  ASSERT_NE(term, loss.terms.end());
  EXPECT_NEAR(term->sum / term->weight, sum / count, 1e-5);
}

// The prompt computed once for both answers, or once for each: the same numbers and gradients.
TEST(Dpo, ASharedPromptChangesNothing) {
  const Pairs all = recorded_pairs();
  const MicroBatch batch = batch_of(all, {0, 1, 2, 3, 4, 5});
  const auto run = [&](model::Decoder& model, SharedPrompt prompt) {
    const PackedRows packed = pack(batch.rows, prompt);
    const at::Tensor logp_N =
        nn::linear_log_probs(model.hidden(packed.batch).squeeze(0), model.head(), packed.targets_N);
    std::vector<at::Tensor> answers;
    for (const auto& row : packed.branches)
      for (const auto& place : row) answers.push_back(logp_N.slice(0, place.begin, place.end));
    const at::Tensor logp = at::cat(answers);
    logp.sum().backward();
    return logp.detach();
  };
  for (const char* name : {"llama_tiny/gqa_untied", "families/gemma2"}) {
    SCOPED_TRACE(name);
    auto together = model::Decoder::load(fixture(name)),
         apart = model::Decoder::load(fixture(name));
    EXPECT_LT(difference(run(together, SharedPrompt::together), run(apart, SharedPrompt::apart)),
              1e-4);
    for (size_t i = 0; i < together.parameters().size(); ++i)
      EXPECT_LT(
          difference(together.parameters()[i].tensor.grad(), apart.parameters()[i].tensor.grad()),
          1e-3)
          << together.parameters()[i].name;
  }
}

// Recorded by tools/record/preference_losses.py: fifty losses and options, all six pairs at once.
TEST(Losses, AreTrlsWithTheirMetricsAndGradientNorms) {
  const Pairs all = recorded_pairs();
  std::vector<PairScore> mismatched;
  const auto others = mismatched_pairs(all.pairs);
  for (const auto& score : score_pairs(model::Decoder::load(fixture("dpo_tiny/reference")), others,
                                       100000, [](int64_t) {}))
    mismatched.push_back(score);
  auto model = model::Decoder::load(fixture("llama_tiny/gqa_untied"));
  Optimizer optimizer(model.parameters(), {});
  std::set<std::string> seen;
  for (const Json& row : read_all(fixture("preference_losses/cases.jsonl"))) {
    SCOPED_TRACE(row["name"].get<std::string>());
    PairLossOptions options;
    const std::map<std::string, double*> numbers = {
        {"beta", &options.beta},
        {"label_smoothing", &options.label_smoothing},
        {"discopop_tau", &options.discopop_tau},
        {"f_alpha", &options.f_alpha},
        {"simpo_gamma", &options.simpo_gamma},
        {"cpo_alpha", &options.cpo_alpha},
        {"desirable_weight", &options.desirable_weight},
        {"undesirable_weight", &options.undesirable_weight}};
    for (const auto& [key, value] : row["options"].items()) {
      if (key == "f_divergence") options.f_divergence = value;
      else *numbers.at(key) = value;
    }
    const std::string loss = row["loss"];
    seen.insert(loss);
    const LossFormula formula(loss, options);
    const bool kl = formula.any(&PairLoss::needs_kl);
    const MicroBatch batch =
        PreferenceBatches(all.pairs, all.reference, {.order = {.batch_size = 6}},
                          kl ? mismatched : std::vector<PairScore>())
            .step(1)
            .front();
    const auto objective = preference_objective(formula);
    const Loss taken = objective->loss(model, batch);
    // exp(-log-ratio) enlarges the last bits of log-probabilities of some 100 nats.
    const double tolerance = options.f_divergence == "forward_kl" ? 5e-5 : 1e-5;
    const double expected = row["loss_value"], norm = row["grad_norm"];
    EXPECT_NEAR(taken.sum.item<double>() / taken.weight, expected,
                tolerance * std::max(1.0, std::abs(expected)));
    (taken.sum / taken.weight).backward();
    EXPECT_NEAR(optimizer.clip(0), norm, 2 * tolerance * std::max(1.0, norm));
    optimizer.clear_grads();
    for (const auto& [name, value] : row["metrics"].items()) {
      if (name == "kl" && !kl) continue;  // TRL writes 0 there
      const auto term = std::find_if(taken.terms.begin(), taken.terms.end(),
                                     [&](const Term& t) { return t.name == name; });
      ASSERT_NE(term, taken.terms.end()) << name;
      if (loss.starts_with("simpo") && name == "nll_loss" && value == 0)
        continue;  // not computed there
      EXPECT_NEAR(term->sum / term->weight, value.get<double>(),
                  1e-5 * std::max(1.0, std::abs(value.get<double>())))
          << name;
    }
  }
  EXPECT_EQ(seen.size(), pair_losses().size() + 3) << "each loss, and three mixtures";
}

TEST(Losses, RefuseOptionsWithoutMeaning) {
  EXPECT_THROW(LossFormula("ipo", {.label_smoothing = 0.1}), Error);
  EXPECT_THROW(LossFormula("robust", {.label_smoothing = 0.5}), Error);
  EXPECT_THROW(LossFormula("sigmoid", {.beta = 0}), Error);
  EXPECT_THROW(LossFormula("exo_pair", {}), Error);
  EXPECT_THROW(LossFormula("kto+sft", {}), Error);
  for (const char* bad : {"", "sigmoid+", "dpo", "x*sigmoid", "1e999*sigmoid", "nan*sft", "*sft"})
    EXPECT_THROW(LossFormula(bad, {}), Error) << bad;
  EXPECT_NO_THROW(LossFormula("0.8*sigmoid+0.2*bco_pair+sft", {}));
}

}  // namespace
}  // namespace helio::train
