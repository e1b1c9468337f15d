// What several processes compute of one model: a decoder whose weights are divided, and losses that
// look at a whole batch.
#include "together.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <set>

#include "support.h"
#include "train/distributed/sharded_weights.h"
#include "train/distributed/share.h"
#include "train/objective.h"

namespace helio::train::distributed {
namespace {

Row row_of_length(int64_t length, int64_t first) {
  std::vector<int32_t> ids;
  for (int64_t i = 0; i <= length; ++i) ids.push_back(static_cast<int32_t>((first + 7 * i) % 90));
  return row_of(ids, ids);
}

// Three rows in passes of one: two processes make two passes, a fourth makes none of its own.
std::vector<MicroBatch> rows() {
  std::vector<MicroBatch> step(3);
  for (int64_t i = 0; i < 3; ++i) step[static_cast<size_t>(i)].rows = {row_of_length(9 - 2 * i, i)};
  Row& last = step[2].rows[0];
  last.targets.assign(last.inputs.size(), kNotLearned);  // its passes are made all the same
  return step;
}

using Gradients = std::map<std::string, at::Tensor>;

struct Result {
  double loss = 0;
  Gradients gradients = {};
};

Result alone(const std::filesystem::path& dir) {
  const auto model = model::Decoder::load(dir);
  const auto objective = causal_lm();
  Result result;
  for (const MicroBatch& batch : rows()) {
    const Loss loss = objective->loss(model, batch);
    loss.sum.backward();
    result.loss += loss.sum.item<double>();
  }
  for (const auto& [name, tensor] : model.parameters()) result.gradients[name] = tensor.grad();
  return result;
}

// Relative to the largest of them, where that is above 1: losses here are sums, not means.
void expect_equal_gradients(const at::Tensor& ours, const at::Tensor& expected, double tolerance,
                            const std::string& name) {
  const double scale = std::max(1.0, expected.abs().max().item<double>());
  EXPECT_LT(difference(ours, expected), tolerance * scale) << name;
}

double sum_over(Communicator& link, double own) {
  double sum = 0;
  for (const std::string& text : link.gather(fmt::format("{}", own))) sum += std::stod(text);
  return sum;
}

TEST(ShardedDecoders, ComputeWhatOneProcessDoes) {
  for (const char* name : {"llama_tiny/gqa_untied", "llama_tiny/tied_theta", "families/gemma3",
                           "families/qwen3_moe"}) {
    const Result expected = alone(fixture(name));
    for (const int64_t size : {2, 3, 4})
      together(size, [&](Communicator& link) {
        SCOPED_TRACE(name);
        const auto keeps = ShardedWeights::keeps(checkpoint::load_decoder_config(fixture(name)),
                                                 link.rank(), link.size());
        auto model = model::Decoder::load(fixture(name), at::kFloat, {}, keeps);
        ShardedWeights sharded(link, model);
        model.set_forward({.lender = &sharded});
        const auto objective = causal_lm();
        const auto step = rows();
        const auto own = share_of(step, link.rank(), size);
        for (const nn::Pass pass : {nn::Pass::forward, nn::Pass::backward}) {
          const c10::AutoGradMode mode(pass == nn::Pass::backward);
          sharded.open();
          double sum = 0;
          for (const MicroBatch& batch : own) {
            const Loss loss = objective->loss(model, batch);
            if (pass == nn::Pass::backward) loss.sum.backward();
            sum += loss.sum.item<double>();
          }
          for (size_t i = own.size(); i < most_passes(step, size); ++i) sharded.idle_pass(pass);
          if (pass == nn::Pass::forward) sharded.close();
          else sharded.finish_gradients();
          EXPECT_NEAR(sum_over(link, sum), expected.loss, 1e-4);
        }
        // Each weight is somebody's: only there it has values and the whole gradient.
        for (const auto& [weight, tensor] : model.parameters()) {
          const bool mine = sharded.owns(weight);
          EXPECT_EQ(mine, keeps(weight));
          EXPECT_EQ(sum_over(link, mine ? 1 : 0), 1) << weight;
          EXPECT_EQ(tensor.storage().nbytes(), mine ? tensor.nbytes() : 0) << weight;
          ASSERT_EQ(tensor.grad().defined(), mine) << weight;
          if (!mine) continue;
          expect_equal_gradients(tensor.grad(), expected.gradients.at(weight), 1e-5, weight);
        }
      });
  }
}

TEST(ShardedDecoders, FrozenWeightsAreLentToo) {
  const Result expected = alone(fixture("llama_tiny/gqa_untied"));
  together(2, [&](Communicator& link) {
    auto model = model::Decoder::load(fixture("llama_tiny/gqa_untied"));
    for (const auto& [name, tensor] : model.parameters())
      tensor.set_requires_grad(name.find("layers.1.") != std::string::npos);
    ShardedWeights sharded(link, model);
    model.set_forward({.lender = &sharded});
    const auto step = rows();
    const auto own = share_of(step, link.rank(), 2);
    sharded.open();
    for (const MicroBatch& batch : own) causal_lm()->loss(model, batch).sum.backward();
    for (size_t i = own.size(); i < most_passes(step, 2); ++i)
      sharded.idle_pass(nn::Pass::backward);
    sharded.finish_gradients();
    for (const auto& [name, tensor] : model.parameters()) {
      ASSERT_EQ(tensor.grad().defined(), sharded.owns(name) && tensor.requires_grad()) << name;
      if (!tensor.grad().defined()) continue;
      expect_equal_gradients(tensor.grad(), expected.gradients.at(name), 1e-5, name);
    }
  });
}

struct Recorded {
  std::vector<EncodedPreference> pairs = {};
  std::vector<PairScore> reference = {}, mismatched = {};
};

Recorded recorded_pairs() {
  Recorded all;
  for (const Json& row : read_all(fixture("dpo_tiny/pairs.jsonl"))) {
    all.pairs.push_back({.id = "pair",
                         .prompt = row["prompt_ids"],
                         .chosen = row["chosen_ids"],
                         .rejected = row["rejected_ids"]});
    all.reference.push_back({row["reference_logps"][0], row["reference_logps"][1]});
  }
  all.mismatched = score_pairs(model::Decoder::load(fixture("dpo_tiny/reference")),
                               mismatched_pairs(all.pairs), 100000, [](int64_t) {});
  return all;
}

// Options that the loss asks for.
LossFormula formula_of(const std::string& loss) {
  return {loss, {.label_smoothing = loss == "exo_pair" || loss == "robust" ? 0.1 : 0.0}};
}

std::vector<MicroBatch> step_of(const Recorded& all, const LossFormula& formula, int64_t micro) {
  const bool kl = formula.any(&PairLoss::needs_kl);
  return PreferenceBatches(all.pairs, all.reference,
                           {.order = {.batch_size = 6}, .micro_batch_size = micro},
                           kl ? all.mismatched : std::vector<PairScore>())
      .step(1);
}

Result whole_loss(const Recorded& all, const std::string& loss, int64_t micro) {
  const auto model = model::Decoder::load(fixture("llama_tiny/gqa_untied"));
  const LossFormula formula = formula_of(loss);
  const auto objective = preference_objective(formula);
  Result result;
  double weight = 0;
  for (const MicroBatch& batch : step_of(all, formula, micro)) {
    const Loss part = objective->loss(model, batch);
    part.sum.backward();
    result.loss += part.sum.item<double>();
    weight += part.weight;
    for (const Term& term : part.terms)
      if (term.name == "kl") result.gradients["kl"] = at::full({}, term.sum);
  }
  result.loss /= weight;
  for (const auto& [name, tensor] : model.parameters())
    result.gradients[name] = tensor.grad() / weight;
  return result;
}

// Each process's pairs, their part of the gradient, added up: what one process makes of all.
void expect_together(const Recorded& all, const std::string& loss, int64_t micro, int64_t size) {
  const Result expected = whole_loss(all, loss, micro);
  together(size, [&](Communicator& link) {
    SCOPED_TRACE(loss + " in " + std::to_string(size));
    const auto model = model::Decoder::load(fixture("llama_tiny/gqa_untied"));
    const LossFormula formula = formula_of(loss);
    const auto objective = preference_objective(formula, &link);
    const auto step = step_of(all, formula, micro);
    double weight = 0, sum = 0;
    for (const MicroBatch& batch : step) weight += objective->weight(batch);
    const auto own = objective->compares_rows() ? whole_share_of(step, link.rank(), size)
                                                : share_of(step, link.rank(), size);
    if (own.empty() && step.size() == 1 && objective->compares_rows()) objective->without_rows();
    for (const MicroBatch& batch : own) {
      const Loss part = objective->loss(model, batch);
      (part.sum / weight).backward();
      sum += part.sum.item<double>() / weight;
      for (const Term& term : part.terms) {
        if (term.name != "kl" || micro != 0) continue;
        EXPECT_NEAR(term.sum, expected.gradients.at("kl").item<double>(), 1e-5);
      }
    }
    EXPECT_NEAR(sum_over(link, sum), expected.loss, 1e-5 * std::max(1.0, std::abs(expected.loss)));
    for (const auto& [name, tensor] : model.parameters()) {
      const at::Tensor gradient =
          tensor.grad().defined() ? tensor.grad() : at::zeros_like(tensor.detach());
      link.begin_sum(gradient)();
      expect_equal_gradients(gradient, expected.gradients.at(name), 1e-5, name);
    }
  });
}

TEST(LossesTogether, OfEveryNameAreThoseOfOneProcess) {
  const Recorded all = recorded_pairs();
  ASSERT_EQ(all.pairs.size(), 6u);
  for (const PairLoss& loss : pair_losses())
    for (const int64_t size : {2, 3}) expect_together(all, loss.name, 0, size);
  expect_together(all, "0.8*aot+0.2*sigmoid", 0, 2);
  expect_together(all, "aot", 0, 7);  // one has no pair
}

TEST(LossesTogether, MicroBatchesOfLossesThatComparePairsStayWhole) {
  const Recorded all = recorded_pairs();
  for (const char* loss : {"aot", "aot_unpaired", "kto"})
    for (const int64_t size : {2, 3, 4}) expect_together(all, loss, 2, size);
}

}  // namespace
}  // namespace helio::train::distributed
