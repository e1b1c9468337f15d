// Layers that keep less for the backward pass: same values, same gradients, to the bit.
#include "nn/prepared_linear.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "nn/layers.h"
#include "nn/recompute.h"

namespace helio::nn {
namespace {

constexpr int64_t kTokens = 96, kWidth = 40;

at::Tensor random(std::vector<int64_t> shape) {
  return at::randn(shape, at::TensorOptions(at::kFloat));
}
at::Tensor leaf(std::vector<int64_t> shape) {
  return random(std::move(shape)).set_requires_grad(true);
}

struct Layer {
  at::Tensor x = leaf({kTokens, kWidth}), norm = leaf({kWidth}), up = leaf({64, kWidth}),
             gate = leaf({64, kWidth}), down = leaf({kWidth, 64}), bias = leaf({64});
  std::vector<at::Tensor> all() const { return {x, norm, up, gate, down, bias}; }
  std::vector<at::Tensor> take_gradients() const {
    std::vector<at::Tensor> grads;
    for (at::Tensor tensor : all()) {
      grads.push_back(tensor.grad().defined() ? tensor.grad().clone() : at::Tensor());
      tensor.mutable_grad().reset();
    }
    return grads;
  }
  at::Tensor composed(const at::Tensor& from) const {
    const at::Tensor y = rms_norm(from, norm, 1e-5);
    const at::Tensor gate_up = at::linear(y, at::cat({gate, up}));
    return at::addmm(from, swiglu(gate_up), down.t());
  }
  at::Tensor lean(const at::Tensor& from, at::ScalarType products = at::kFloat) const {
    const at::Tensor gate_up =
        prepared_linear({.x = from,
                         .weights = {norm},
                         .run = [this](const at::Tensor& v) { return rms_norm(v, norm, 1e-5); }},
                        {gate, up}, {}, products);
    return prepared_linear({.x = gate_up, .run = &swiglu}, {down}, {.residual = from}, products);
  }
};

void expect_same(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].defined(), b[i].defined()) << i;
    if (a[i].defined()) {
      EXPECT_TRUE(at::equal(a[i], b[i])) << i;
    }
  }
}

TEST(PreparedLinear, IsTheCompositionToTheBit) {
  const Layer layer;
  const at::Tensor weights = random({kTokens, kWidth});
  const at::Tensor expected = layer.composed(layer.x);
  (expected * weights).sum().backward();
  const auto gradients = layer.take_gradients();
  const at::Tensor ours = layer.lean(layer.x);
  EXPECT_TRUE(at::equal(ours, expected));
  (ours * weights).sum().backward();
  expect_same(layer.take_gradients(), gradients);
}

TEST(PreparedLinear, TakesBiases) {
  const Layer layer;
  const auto as_it_is = [](const at::Tensor& v) { return v; };
  const at::Tensor expected = at::linear(layer.x, layer.up, layer.bias);
  expected.square().sum().backward();
  const auto gradients = layer.take_gradients();
  const at::Tensor ours =
      prepared_linear({.x = layer.x, .run = as_it_is}, {layer.up}, {.biases = {layer.bias}});
  EXPECT_TRUE(at::equal(ours, expected));
  ours.square().sum().backward();
  expect_same(layer.take_gradients(), gradients);
}

TEST(PreparedLinear, WeightsThatAreFrozenGetNoGradient) {
  Layer layer;
  layer.gate.set_requires_grad(false);
  layer.norm.set_requires_grad(false);
  layer.x.set_requires_grad(false);
  const at::Tensor expected = layer.composed(layer.x);
  expected.square().sum().backward();
  const auto gradients = layer.take_gradients();
  layer.lean(layer.x).square().sum().backward();
  const auto ours = layer.take_gradients();
  EXPECT_FALSE(ours[0].defined() || ours[1].defined() || ours[3].defined());
  expect_same(ours, gradients);
}

TEST(PreparedLinear, RoundsFactorsToBfloat16) {
  const Layer layer;
  layer.composed(layer.x).square().sum().backward();
  const auto exact = layer.take_gradients();
  const at::Tensor ours = layer.lean(layer.x, at::kBFloat16);
  EXPECT_EQ(ours.scalar_type(), at::kFloat);
  ours.square().sum().backward();
  const auto rounded = layer.take_gradients();
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(rounded[i].scalar_type(), at::kFloat);
    const double apart =
        (rounded[i] - exact[i]).norm().item<double>() / exact[i].norm().item<double>();
    EXPECT_LT(apart, 0.02) << i;
    EXPECT_GT(apart, 1e-5) << i;
  }
}

TEST(Recomputed, GivesTheSameGradientsToTheBit) {
  const Layer layer;
  int runs = 0;
  const auto run = [&](const at::Tensor& x) {
    ++runs;
    return layer.lean(x);
  };
  const at::Tensor weights = random({kTokens, kWidth});
  (run(run(layer.x * 2)) * weights).sum().backward();
  const auto gradients = layer.take_gradients();
  runs = 0;
  const auto once = [&](const at::Tensor& x) { return recomputed(x, layer.all(), run); };
  (once(once(layer.x * 2)) * weights).sum().backward();
  EXPECT_EQ(runs, 4) << "each layer forward, and again backward";
  auto ours = layer.take_gradients();
  // x itself is among the weights of the call, unused there: only the outer path counts.
  expect_same(ours, gradients);
}

TEST(Recomputed, WorksBehindAnInputWithoutGradient) {
  Layer layer;
  layer.x.set_requires_grad(false);
  layer.lean(layer.x).square().sum().backward();
  const auto gradients = layer.take_gradients();
  recomputed(layer.x, {layer.norm, layer.gate, layer.up, layer.down},
             [&](const at::Tensor& x) { return layer.lean(x); })
      .square()
      .sum()
      .backward();
  expect_same(layer.take_gradients(), gradients);
}

}  // namespace
}  // namespace helio::nn
