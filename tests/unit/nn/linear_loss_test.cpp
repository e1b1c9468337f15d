#include "nn/linear_loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace helio::nn {
namespace {

struct Case {
  at::Tensor hidden = at::randn({50, 12}).set_requires_grad(true);
  at::Tensor weight = at::randn({33, 12}).set_requires_grad(true);
  at::Tensor targets = at::randint(33, {50}, at::TensorOptions(at::kLong));
};

double difference(const at::Tensor& a, const at::Tensor& b) {
  return a.sub(b).abs().max().item<double>();
}

void expect_equal_to_plain(const Case& a, const at::Tensor& loss, const at::Tensor& plain) {
  EXPECT_NEAR(loss.item<double>(), plain.item<double>(), 1e-5 * std::abs(plain.item<double>()));
  (loss * 0.25).backward();
  const at::Tensor hidden = a.hidden.grad().clone(), weight = a.weight.grad().clone();
  a.hidden.mutable_grad().reset();
  a.weight.mutable_grad().reset();
  (plain * 0.25).backward();
  EXPECT_LT(difference(hidden, a.hidden.grad()), 1e-5);
  EXPECT_LT(difference(weight, a.weight.grad()), 2e-5);
  a.hidden.mutable_grad().reset();
  a.weight.mutable_grad().reset();
}

TEST(LinearCrossEntropy, EqualsThePlainLossAndItsGradientsForAnyChunk) {
  Case a;
  a.targets[3] = kIgnoreTarget;
  a.targets[49] = kIgnoreTarget;
  for (const int64_t chunk : {1, 7, 50, 1000}) {
    const at::Tensor plain = at::cross_entropy_loss(at::linear(a.hidden, a.weight), a.targets, {},
                                                    at::Reduction::Sum, kIgnoreTarget);
    expect_equal_to_plain(a, linear_cross_entropy_sum(a.hidden, a.weight, a.targets, chunk), plain);
  }
}

TEST(LinearCrossEntropy, WithZIsThePlainSumOfBoth) {
  Case a;
  a.targets[7] = kIgnoreTarget;
  constexpr double kWeight = 0.03;
  for (const double cap : {0.0, 4.0}) {
    for (const int64_t chunk : {7, 1000}) {
      at::Tensor logits = at::linear(a.hidden, a.weight);
      if (cap != 0) logits = (logits / cap).tanh() * cap;
      const at::Tensor counted = (a.targets != kIgnoreTarget).to(at::kFloat);
      const at::Tensor z = (logits.logsumexp(-1).square() * counted).sum() * kWeight;
      const at::Tensor plain =
          at::cross_entropy_loss(logits, a.targets, {}, at::Reduction::Sum, kIgnoreTarget) + z;
      const auto ours =
          linear_cross_entropy_with_z(a.hidden, {a.weight, cap}, a.targets, kWeight, chunk);
      EXPECT_NEAR(ours.z, z.item<double>(), 1e-5 * z.item<double>());
      EXPECT_GT(ours.z, 1);
      expect_equal_to_plain(a, ours.sum, plain);
    }
  }
}

TEST(LinearCrossEntropy, WithoutGradientsTheSumIsTheSame) {
  const Case a;
  const at::Tensor with = linear_cross_entropy_sum(a.hidden, a.weight, a.targets, 16);
  const c10::AutoGradMode no_grad(false);
  const at::Tensor without = linear_cross_entropy_sum(a.hidden, a.weight, a.targets, 16);
  EXPECT_NEAR(with.item<double>(), without.item<double>(), 1e-4);
  EXPECT_FALSE(without.requires_grad());
}

TEST(LinearCrossEntropy, NothingToLearnIsZero) {
  Case a;
  a.targets.fill_(kIgnoreTarget);
  const at::Tensor loss = linear_cross_entropy_sum(a.hidden, a.weight, a.targets);
  EXPECT_EQ(loss.item<double>(), 0);
  loss.backward();
  EXPECT_EQ(a.weight.grad().abs().max().item<double>(), 0);
}

TEST(LinearCrossEntropy, HugeLogitsStayFinite) {
  Case a;
  const c10::AutoGradMode no_grad(false);
  a.hidden.mul_(1e4);
  EXPECT_TRUE(linear_cross_entropy_sum(a.hidden, a.weight, a.targets).isfinite().item<bool>());
}

TEST(LinearLogProbs, EqualTheGatheredLogSoftmaxAndItsGradients) {
  Case a;
  a.targets[0] = kIgnoreTarget;
  const at::Tensor direction = at::randn({50});
  for (const int64_t chunk : {1, 7, 50, 1000}) {
    const at::Tensor log_probs = linear_log_probs(a.hidden, a.weight, a.targets, chunk);
    EXPECT_EQ(log_probs[0].item<double>(), 0);
    const at::Tensor rest = a.targets.slice(0, 1);
    const at::Tensor plain = at::linear(a.hidden, a.weight)
                                 .log_softmax(-1)
                                 .slice(0, 1)
                                 .gather(1, rest.unsqueeze(1))
                                 .squeeze(1);
    EXPECT_LT(difference(log_probs.slice(0, 1), plain), 1e-5);
    expect_equal_to_plain(a, (log_probs * direction).sum(), (plain * direction.slice(0, 1)).sum());
  }
}

TEST(LinearLogProbs, ATargetOutsideTheVocabularyIsAnError) {
  Case a;
  a.targets[5] = 33;
  EXPECT_THROW(linear_log_probs(a.hidden, a.weight, a.targets), Error);
}

}  // namespace
}  // namespace helio::nn
