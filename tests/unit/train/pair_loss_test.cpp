// Preference losses as arithmetic: their derivatives, and which data they take.
#include "train/objectives/pair_loss.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/rng.h"

namespace helio::train {
namespace {

PairBatch random_batch(uint64_t seed) {
  Rng rng(seed);
  const auto draw = [&](double low, double high) {
    return low + (high - low) * static_cast<double>(rng.below(1000000)) / 1e6;
  };
  PairBatch batch{.chosen_tokens = 7, .whole_tokens = 12, .kl = 0.4};
  for (int i = 0; i < 4; ++i)
    batch.pairs.push_back({.chosen = draw(-12, -2),
                           .rejected = draw(-12, -2),
                           .reference_chosen = draw(-12, -2),
                           .reference_rejected = draw(-12, -2),
                           .chosen_tokens = 3 + i,
                           .rejected_tokens = 6 - i,
                           .prompt = draw(-9, -1),
                           .prompt_tokens = 4});
  return batch;
}

double total(const LossFormula& formula, const PairBatch& batch) {
  double sum = 0;
  for (const auto& pair : formula.compute(batch)) sum += pair.loss;
  return sum;
}

// Against central differences of the whole batch's loss.
TEST(PairLosses, DerivativesAreThoseOfTheLoss) {
  constexpr double kStep = 1e-6;
  for (const PairLoss& loss : pair_losses())
    for (const char* divergence :
         {"reverse_kl", "forward_kl", "js_divergence", "alpha_divergence"}) {
      SCOPED_TRACE(std::string(loss.name) + " " + divergence);
      const LossFormula formula(
          loss.name,
          {.beta = 0.2, .label_smoothing = loss.smooths ? 0.1 : 0.0, .f_divergence = divergence});
      const PairBatch batch = random_batch(3);
      const auto gradients = formula.compute(batch);
      for (size_t i = 0; i < batch.pairs.size(); ++i) {
        const auto difference = [&](double PairSums::*variable) {
          PairBatch more = batch, less = batch;
          more.pairs[i].*variable += kStep;
          less.pairs[i].*variable -= kStep;
          return (total(formula, more) - total(formula, less)) / (2 * kStep);
        };
        const auto near = [&](double ours, double expected) {
          // What the difference of two sums of this size can resolve.
          const double noise = 1e-14 * std::abs(total(formula, batch)) / kStep;
          EXPECT_NEAR(ours, expected, 1e-5 * std::max(1.0, std::abs(expected)) + noise)
              << "pair " << i;
        };
        near(gradients[i].chosen, difference(&PairSums::chosen));
        near(gradients[i].rejected, difference(&PairSums::rejected));
        near(gradients[i].prompt, difference(&PairSums::prompt));
      }
    }
}

TEST(PairLosses, MixturesAreWeightedSums) {
  const PairBatch batch = random_batch(5);
  const double mixed = total(LossFormula("0.8*sigmoid+0.2*bco_pair+sft", {}), batch);
  EXPECT_NEAR(mixed,
              0.8 * total(LossFormula("sigmoid", {}), batch) +
                  0.2 * total(LossFormula("bco_pair", {}), batch) +
                  total(LossFormula("sft", {}), batch),
              1e-12);
}

// One answer alone: KTO's loss of the pair is the sum over its answers.
TEST(PairLosses, SingleAnswersAddUpToPairs) {
  for (const char* name : {"kto", "apo_zero_unpaired"}) {
    const LossFormula formula(name, {.beta = 0.3});
    EXPECT_TRUE(formula.unpaired());
    PairBatch batch = random_batch(7), chosen = batch, rejected = batch;
    for (auto& pair : chosen.pairs) pair.has_rejected = false;
    for (auto& pair : rejected.pairs) pair.has_chosen = false;
    EXPECT_NEAR(total(formula, batch), total(formula, chosen) + total(formula, rejected), 1e-12);
    EXPECT_EQ(formula.compute(chosen)[0].rejected, 0);
  }
}

TEST(PairLosses, AreFiniteFarOut) {
  PairBatch batch = random_batch(9);
  batch.pairs[0].chosen = -5000;
  batch.pairs[0].rejected = -1;
  for (const PairLoss& loss : pair_losses()) {
    if (loss.name == std::string("discopop")) continue;  // exp(-b d), as published
    const LossFormula formula(loss.name, {.label_smoothing = loss.smooths ? 0.1 : 0.0});
    EXPECT_TRUE(std::isfinite(total(formula, batch))) << loss.name;
  }
}

}  // namespace
}  // namespace helio::train
