// Whichever library multiplies, the product is the same to rounding.
#include "nn/products.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

namespace helio::nn {
namespace {

at::Tensor random(at::IntArrayRef shape) { return at::randn(shape, at::TensorOptions(at::kFloat)); }

double apart(const at::Tensor& ours, const at::Tensor& exact) {
  return (ours.to(at::kDouble) - exact).norm().item<double>() / exact.norm().item<double>();
}

TEST(Product, IsExactToRoundingForEverySizeAndLayout) {
  const c10::AutoGradMode no_grad(false);
  for (const int64_t rows : {3, 512}) {
    const at::Tensor x = random({rows, 576}), w = random({320, 576}), r = random({rows, 320});
    const at::Tensor exact = x.to(at::kDouble).mm(w.to(at::kDouble).t());
    EXPECT_LT(apart(product(x, w), exact), 1e-6) << rows;
    EXPECT_LT(apart(product(x, w.t().contiguous().t()), exact), 1e-6) << rows;
    EXPECT_LT(apart(product(x, w, r), exact + r.to(at::kDouble)), 1e-6) << rows;
    const at::Tensor d = random({rows, 320});
    EXPECT_LT(apart(product(d, w.t()), d.to(at::kDouble).mm(w.to(at::kDouble))), 1e-6) << rows;
  }
}

TEST(Product, RecordsGradients) {
  const at::Tensor x = random({512, 576}).set_requires_grad(true), w = random({320, 576});
  product(x, w).sum().backward();
  EXPECT_LT(apart(x.grad(), w.to(at::kDouble).sum(0).expand_as(x)), 1e-6);
}

}  // namespace
}  // namespace helio::nn
