#include "nn/layers.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <numeric>

#include "core/error.h"
#include "nn/kernels.h"
#include "nn/linear_loss.h"
#include "nn/rotary.h"
#include "nn/runtime.h"

namespace helio::nn {
namespace {

// What HELIO_KERNELS says while it lives.
class KernelSetting {
 public:
  explicit KernelSetting(const std::string& value) {
    if (const char* old = std::getenv("HELIO_KERNELS")) old_ = old;
    setenv("HELIO_KERNELS", value.c_str(), 1);
  }
  ~KernelSetting() { setenv("HELIO_KERNELS", old_.c_str(), 1); }

 private:
  std::string old_ = {};
};

struct Result {
  at::Tensor value = {};
  std::vector<at::Tensor> gradients = {};
};

using Layer = std::function<at::Tensor(const std::vector<at::Tensor>&)>;

Result run(const Layer& layer, const std::vector<at::Tensor>& inputs, const at::Tensor& direction,
           const std::string& setting) {
  const KernelSetting kernels_used(setting);
  std::vector<at::Tensor> leaves;
  for (const at::Tensor& input : inputs)
    leaves.push_back(input.detach().clone().set_requires_grad(true));
  const at::Tensor value = layer(leaves);
  (value * direction).sum().backward();
  Result result{.value = value.detach()};
  for (const at::Tensor& leaf : leaves) result.gradients.push_back(leaf.grad());
  return result;
}

void expect_close(const at::Tensor& a, const at::Tensor& b, const std::string& what) {
  ASSERT_EQ(a.sizes(), b.sizes()) << what;
  const double scale = 1 + b.abs().max().item<double>();
  EXPECT_LT(a.sub(b).abs().max().item<double>(), 1e-5 * scale) << what;
}

// The kernels asked for in the parameter against ATen's operators put together.
class Kernel : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const KernelSetting setting(GetParam());
    if (kernels() == nullptr || GetParam() != kernels()->name)
      GTEST_SKIP() << "this processor has no " << GetParam();
  }
  void compare(const Layer& layer, const std::vector<at::Tensor>& inputs,
               const at::Tensor& direction) {
    const Result fused = run(layer, inputs, direction, GetParam());
    const Result plain = run(layer, inputs, direction, "none");
    expect_close(fused.value, plain.value, "value");
    for (size_t i = 0; i < inputs.size(); ++i)
      expect_close(fused.gradients[i], plain.gradients[i], "gradient " + std::to_string(i));
  }
};

TEST_P(Kernel, RmsNorm) {
  for (const int64_t width : {1, 7, 16, 40, 192}) {
    SCOPED_TRACE(width);
    for (const int64_t rows : {1, 5, 300}) {
      const Layer layer = [](const auto& in) { return rms_norm(in[0], in[1], 1e-5); };
      compare(layer, {at::randn({rows, width}), at::randn({width})}, at::randn({rows, width}));
    }
  }
}

TEST_P(Kernel, Swiglu) {
  for (const int64_t width : {1, 15, 16, 33, 512}) {
    SCOPED_TRACE(width);
    const Layer layer = [](const auto& in) { return swiglu(in[0]); };
    compare(layer, {at::randn({200, 2 * width}) * 3}, at::randn({200, width}));
  }
}

TEST_P(Kernel, SwigluOfExtremeGates) {
  const Layer layer = [](const auto& in) { return swiglu(in[0]); };
  at::Tensor x = at::randn({1, 64});
  for (int64_t i = 0; i < 32; ++i) x[0][i].fill_(static_cast<double>(i - 16) * 20);
  compare(layer, {x}, at::randn({1, 32}));
}

TEST_P(Kernel, PackedAttention) {
  const std::vector<int64_t> lengths = {1, 31, 32, 33, 70, 2, 129};
  const int64_t tokens = std::accumulate(lengths.begin(), lengths.end(), int64_t(0));
  std::vector<at::Tensor> positions;
  for (const int64_t length : lengths)
    positions.push_back(at::arange(length, at::TensorOptions(at::kLong)));
  for (const int64_t size : {16, 32, 64, 128}) {
    SCOPED_TRACE(size);
    for (const Heads heads : {Heads{6, 2, size}, Heads{2, 2, size}, Heads{3, 1, size}}) {
      const Rotation rotation =
          rope_rotation(rope_frequencies(size, 10000, {}), at::cat(positions));
      const Layer layer = [&](const auto& in) {
        return packed_attention(in[0], rotation, heads, lengths);
      };
      compare(layer, {at::randn({tokens, (heads.query + 2 * heads.key_value) * size})},
              at::randn({tokens, heads.query * size}));
    }
  }
}

TEST_P(Kernel, AttentionOfLargeScores) {
  const Heads heads{2, 1, 32};
  const Rotation rotation =
      rope_rotation(rope_frequencies(32, 10000, {}), at::arange(50, at::TensorOptions(at::kLong)));
  const at::Tensor qkv = at::randn({50, 128}) * 30;
  const KernelSetting setting(GetParam());
  EXPECT_TRUE(packed_attention(qkv, rotation, heads, {50}).isfinite().all().item<bool>());
}

TEST_P(Kernel, LinearLosses) {
  for (const int64_t vocabulary : {3, 33, 64, 1000}) {
    SCOPED_TRACE(vocabulary);
    const at::Tensor targets = at::arange(70, at::TensorOptions(at::kLong)).remainder(vocabulary);
    const std::vector<at::Tensor> inputs = {at::randn({70, 12}), at::randn({vocabulary, 12})};
    const Layer loss = [&](const auto& in) {
      return linear_cross_entropy_sum(in[0], in[1], targets, 16);
    };
    compare(loss, inputs, at::randn({}));
    const Layer log_probs = [&](const auto& in) {
      return linear_log_probs(in[0], in[1], targets, 16);
    };
    compare(log_probs, inputs, at::randn({70}));
  }
}

TEST_P(Kernel, TheNumberOfThreadsChangesNoBit) {
  const Heads heads{6, 2, 32};
  const std::vector<int64_t> lengths = {200, 17, 90, 64};
  const Rotation rotation =
      rope_rotation(rope_frequencies(32, 10000, {}), at::arange(371, at::TensorOptions(at::kLong)));
  const at::Tensor qkv = at::randn({371, 320}), gate_up = at::randn({371, 96}),
                   weight = at::randn({48}), direction = at::randn({371, 192});
  const auto all = [&](int64_t threads) {
    prepare_runtime(threads);
    std::vector<at::Tensor> out;
    for (const Result& result :
         {run([&](const auto& in) { return packed_attention(in[0], rotation, heads, lengths); },
              {qkv}, direction, GetParam()),
          run([&](const auto& in) { return rms_norm(swiglu(in[0]), in[1], 1e-5); },
              {gate_up, weight}, at::randn({371, 48}).fill_(0.5), GetParam())}) {
      out.push_back(result.value);
      out.insert(out.end(), result.gradients.begin(), result.gradients.end());
    }
    return out;
  };
  const auto one = all(1), three = all(3);
  prepare_runtime(0);
  for (size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(one[i].equal(three[i])) << i;
}

INSTANTIATE_TEST_SUITE_P(All, Kernel, testing::Values("avx512", "avx2"),
                         [](const auto& info) { return info.param; });

TEST(RopeFrequencies, UnknownScalingIsAnErrorThatNamesIt) {
  EXPECT_THROW(rope_frequencies(8, 10000, {.type = "spiral"}), Error);
}

TEST(RopeFrequencies, LinearScalingDividesByTheFactor) {
  const at::Tensor plain = rope_frequencies(8, 10000, {});
  const at::Tensor linear = rope_frequencies(8, 10000, {.type = "linear", .factor = 4});
  EXPECT_TRUE(linear.mul(4).allclose(plain));
  EXPECT_FLOAT_EQ(plain[1].item<float>(), 0.1F);
}

TEST(Rope, RotationKeepsLengthsAndRelativePositions) {
  const at::Tensor f = rope_frequencies(16, 10000, {});
  const at::Tensor q = at::randn({1, 1, 16}), k = at::randn({1, 1, 16});
  const auto at_position = [&](const at::Tensor& x, int64_t position) {
    return rope(x,
                rope_rotation(f, at::arange(position, position + 1, at::TensorOptions(at::kLong))));
  };
  EXPECT_NEAR(at_position(q, 9).norm().item<double>(), q.norm().item<double>(), 1e-5);
  const double near = (at_position(q, 5) * at_position(k, 2)).sum().item<double>();
  const double far = (at_position(q, 105) * at_position(k, 102)).sum().item<double>();
  EXPECT_NEAR(near, far, 1e-4);
}

}  // namespace
}  // namespace helio::nn
