// Products with packed weights beside the plain sum over dequantised rows, for every instruction
// set.
#include "nn/packed_weight.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <stdexcept>

#include "checkpoint/quant/dequantise.h"
#include "checkpoint/quant/quantise.h"
#include "core/error.h"
#include "core/rng.h"
#include "nn/runtime.h"
#include "nn/team.h"

namespace helio::nn {
namespace {

at::Tensor random(int64_t rows, int64_t width, Rng& rng) {
  at::Tensor out = at::empty({rows, width}, at::TensorOptions(at::kFloat));
  float* const data = out.mutable_data_ptr<float>();
  for (int64_t i = 0; i < out.numel(); ++i) data[i] = static_cast<float>(rng.uniform() * 2 - 1);
  return out;
}

at::Tensor unpacked(const PackedWeight& weight) {
  at::Tensor out = at::empty({weight.rows(), weight.width()}, at::TensorOptions(at::kFloat));
  for (int64_t i = 0; i < weight.rows(); ++i)
    weight.row(i, out.mutable_data_ptr<float>() + i * weight.width());
  return out;
}

// What packed_weight.h promises of an element, and f32 sums.
double bound(const at::Tensor& x, const at::Tensor& weight, int64_t token, int64_t row,
             WeightFormat format) {
  const int64_t width = x.size(1);
  const float *a = x.const_data_ptr<float>() + token * width,
              *w = weight.const_data_ptr<float>() + row * width;
  double codes = 0, sums = 0;
  for (int64_t first = 0; first < width; first += kBlock) {
    double largest = 0, magnitudes = 0;
    for (int64_t k = first; k < std::min(width, first + kBlock); ++k) {
      largest = std::max<double>(largest, std::fabs(a[k]));
      magnitudes += std::fabs(w[k]);
      sums += std::fabs(static_cast<double>(a[k]) * w[k]);
    }
    codes += largest / 254 * magnitudes;
  }
  const bool has_codes = format == WeightFormat::int8 || format == WeightFormat::int4;
  const double rounding = format == WeightFormat::bf16_both ? sums / 256 : 0;
  return (has_codes ? codes : rounding) + sums * 1e-5 + 1e-7;
}

struct Case {
  WeightFormat format;
  const char* kernels;
};

class Packed : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    setenv("HELIO_KERNELS", GetParam().kernels, 1);
    const std::string_view wanted = GetParam().kernels, got = product_kernels().name;
    if (wanted == "none" ? got != "plain" : got != wanted)
      GTEST_SKIP() << "this processor has no " << wanted;
  }
  void TearDown() override { unsetenv("HELIO_KERNELS"); }
  Rng rng_ = Rng(11);
};

TEST_P(Packed, ProductsAreWithinTheStatedBound) {
  const WeightFormat format = GetParam().format;
  for (const int64_t width : {1, 31, 32, 33, 64, 100, 288})
    for (const int64_t rows : {1, 15, 16, 17, 50})
      for (const int64_t tokens : {1, 2, 3, 5, 8, 13, 30}) {
        SCOPED_TRACE("width " + std::to_string(width) + " rows " + std::to_string(rows) +
                     " tokens " + std::to_string(tokens));
        const at::Tensor first = random(rows, width, rng_), second = random(3, width, rng_);
        const PackedWeight weight(format, {first, second});
        ASSERT_EQ(weight.rows(), rows + 3);
        const at::Tensor plain = unpacked(weight), x = random(tokens, width, rng_);
        const at::Tensor expected =
            at::linear(x.to(at::kDouble), plain.to(at::kDouble)).contiguous();
        const at::Tensor got = weight.product(x).contiguous();
        for (int64_t t = 0; t < tokens; ++t)
          for (int64_t r = 0; r < rows + 3; ++r)
            ASSERT_NEAR(got.const_data_ptr<float>()[t * (rows + 3) + r],
                        expected.const_data_ptr<double>()[t * (rows + 3) + r],
                        bound(x, plain, t, r, format))
                << "token " << t << " row " << r;
      }
}

TEST_P(Packed, AddingAddsAndTouchesNothingElse) {
  const WeightFormat format = GetParam().format;
  const int64_t width = 70, rows = 21, tokens = 6, stride = 30;
  const PackedWeight weight(format, {random(rows, width, rng_)});
  const at::Tensor x = random(tokens, width, rng_), product = weight.product(x).contiguous();
  Activations activations;
  activations.prepare(format, tokens, width);
  for (int64_t t = 0; t < tokens; ++t)
    activations.set_row(t, x.const_data_ptr<float>() + t * width);
  std::vector<float> out(static_cast<size_t>(tokens * stride), 2.0F);
  weight.product(activations, out.data(), stride, Output::add, woken_phases());
  for (int64_t t = 0; t < tokens; ++t)
    for (int64_t i = 0; i < stride; ++i)
      EXPECT_NEAR(out[static_cast<size_t>(t * stride + i)],
                  2 + (i < rows ? product.const_data_ptr<float>()[t * rows + i] : 0), 1e-5);
}

// Extremes of the stored codes: weights of -128 (which no quantiser here writes) cannot come in,
// but largest values of both signs side by side can.
TEST_P(Packed, LargestValuesDoNotOverflow) {
  const WeightFormat format = GetParam().format;
  for (const float sign : {1.0F, -1.0F}) {
    at::Tensor w = at::empty({16, 64}, at::TensorOptions(at::kFloat));
    w.fill_(3.0F);
    at::Tensor x = at::empty({5, 64}, at::TensorOptions(at::kFloat));
    x.fill_(sign * 7.0F);
    const PackedWeight weight(format, {w});
    const at::Tensor plain = unpacked(weight), got = weight.product(x);
    const at::Tensor expected = at::linear(x, plain);
    EXPECT_LT((got - expected).abs().max().item<float>(), 0.01F * 64 * 21);
    EXPECT_GT((got * sign).min().item<float>(), 64 * 20);
  }
}

// Rounded factors, products exact in f32's sums: the definition itself, whatever the processor has.
// Not a number stays that.
class Rounded : public Packed {};
TEST_P(Rounded, ProductsAreThoseOfRoundedActivations) {
  const int64_t width = 101, rows = 35, tokens = 19;
  const PackedWeight weight(WeightFormat::bf16_both, {random(rows, width, rng_)});
  const at::Tensor x = random(tokens, width, rng_) * 1000;
  const at::Tensor rounded = x.to(at::kBFloat16).to(at::kDouble);
  const at::Tensor plain = unpacked(weight).to(at::kDouble);
  const at::Tensor expected = at::linear(rounded, plain);
  const at::Tensor sizes = at::linear(rounded.abs(), plain.abs());
  const at::Tensor off = (weight.product(x) - expected).abs() / sizes;
  EXPECT_LT(off.max().item<double>(), 1e-6);
  at::Tensor broken = x.clone();
  broken.mutable_data_ptr<float>()[3 * width + 100] = std::nanf("");
  const at::Tensor product = weight.product(broken);
  EXPECT_TRUE(product.select(0, 3).isnan().all().item<bool>());
  EXPECT_FALSE(product.select(0, 2).isnan().any().item<bool>());
  if (GetParam().kernels != std::string_view("avx512_bf16")) return;
  const at::Tensor all = weight.product(x);
  for (int64_t t = 0; t < tokens; ++t)
    EXPECT_TRUE(weight.product(x.slice(0, t, t + 1)).equal(all.slice(0, t, t + 1))) << t;
}

std::string name_of(const testing::TestParamInfo<Case>& info) {
  return std::string(weight_format_name(info.param.format)) + "_" + info.param.kernels;
}

INSTANTIATE_TEST_SUITE_P(
    Formats, Packed,
    testing::Values(Case{WeightFormat::f32, "avx512"}, Case{WeightFormat::f32, "avx2"},
                    Case{WeightFormat::f32, "none"}, Case{WeightFormat::bf16, "avx512"},
                    Case{WeightFormat::bf16, "avx2"}, Case{WeightFormat::bf16, "none"},
                    Case{WeightFormat::bf16_both, "avx512_bf16"},
                    Case{WeightFormat::bf16_both, "avx512"}, Case{WeightFormat::bf16_both, "avx2"},
                    Case{WeightFormat::bf16_both, "none"}, Case{WeightFormat::int8, "avx512"},
                    Case{WeightFormat::int8, "avx2"}, Case{WeightFormat::int8, "none"},
                    Case{WeightFormat::int4, "avx512"}, Case{WeightFormat::int4, "avx2"},
                    Case{WeightFormat::int4, "none"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(Formats, Rounded,
                         testing::Values(Case{WeightFormat::bf16_both, "avx512_bf16"},
                                         Case{WeightFormat::bf16_both, "avx512"},
                                         Case{WeightFormat::bf16_both, "avx2"},
                                         Case{WeightFormat::bf16_both, "none"}),
                         name_of);

// Rows are ggml's blocks: what dequantise() says of what quantise() wrote.
TEST(PackedWeight, RowsAreGgmlsBlocks) {
  Rng rng(3);
  const at::Tensor w = random(19, 96, rng);
  for (const auto& [format, type, bytes] : {std::tuple(WeightFormat::int8, GgmlType::q8_0, 34),
                                            std::tuple(WeightFormat::int4, GgmlType::q4_0, 18)}) {
    const PackedWeight weight(format, {w});
    EXPECT_EQ(weight.bytes(), static_cast<size_t>(32 * 3 * bytes));  // rows in whole panels
    for (int64_t row = 0; row < 19; ++row) {
      std::vector<std::byte> blocks(static_cast<size_t>(3 * bytes));
      std::vector<float> expected(96), got(96);
      checkpoint::quantise(type, {w.const_data_ptr<float>() + row * 96, 96}, blocks);
      checkpoint::dequantise(type, blocks, expected);
      weight.row(row, got.data());
      EXPECT_EQ(got, expected) << row;
    }
  }
}

TEST(PackedWeight, RefusesWhatHasNoScale) {
  at::Tensor w = at::zeros({4, 32}, at::TensorOptions(at::kFloat));
  w.mutable_data_ptr<float>()[40] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(PackedWeight(WeightFormat::int8, {w}), Error);
}

TEST(PackedWeight, TokensDoNotChangeEachOthersCodes) {
  Rng rng(4);
  const PackedWeight weight(WeightFormat::int8, {random(40, 128, rng)});
  const at::Tensor x = random(11, 128, rng), all = weight.product(x);
  for (int64_t t = 0; t < 11; ++t)
    EXPECT_TRUE(weight.product(x.slice(0, t, t + 1)).equal(all.slice(0, t, t + 1))) << t;
}

TEST(Team, EveryUnitRunsOncePhaseAfterPhase) {
  for (const int64_t threads : {1, 2, 4}) {
    prepare_runtime(threads);
    std::vector<std::atomic<int>> counts(1000);
    int64_t scripts = 0, seen = 0, done = 0;
    with_team([&](Phases& phases) {
      ++scripts;
      for (int64_t phase = 0; phase < 500; ++phase) {
        const int64_t units = phase % 7 == 0 ? 1000 : phase % 5;
        phases.run(units, [&](int64_t unit) { ++counts[static_cast<size_t>(unit)]; });
        // All of a phase is done when run() returns.
        seen = 0;
        for (const auto& count : counts) seen += count;
        done += units;
        ASSERT_EQ(seen, done);
      }
    });
    EXPECT_EQ(scripts, 1);
    for (size_t i = 4; i < counts.size(); ++i) EXPECT_EQ(counts[i], 72) << i;
  }
}

TEST(Team, ThrowsOnWhatItsScriptThrows) {
  EXPECT_THROW(with_team([](Phases& phases) {
                 phases.run(4, [](int64_t) {});
                 throw std::runtime_error("no");
               }),
               std::runtime_error);
}

}  // namespace
}  // namespace helio::nn
