// The kernels on bare arrays of exactly the size they may touch: under ASan a step beyond an end
// is seen, and what they read without having written it shows as NaN.
#include "nn/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/rng.h"

namespace helio::nn {
namespace {

using Floats = std::vector<float>;
constexpr float kUnset = std::numeric_limits<float>::quiet_NaN();

Floats random(int64_t count, Rng& rng) {
  Floats out(static_cast<size_t>(count));
  for (float& x : out) x = static_cast<float>(rng.uniform()) * 2 - 1;
  return out;
}

Floats unset(int64_t count) { return Floats(static_cast<size_t>(count), kUnset); }

void expect_all_written(const Floats& values, const char* what) {
  for (const float value : values) ASSERT_TRUE(std::isfinite(value)) << what;
}

class KernelTable : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    __builtin_cpu_init();
    const bool wide = std::string_view(GetParam()) == "avx512";
    if (wide ? !(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"))
             : !(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")))
      GTEST_SKIP() << "this processor has no " << GetParam();
    table_ = wide ? &avx512_kernels() : &avx2_kernels();
  }
  const Kernels* table_ = nullptr;
  Rng rng_ = Rng(5);
};

TEST_P(KernelTable, RowsOfEveryWidthStayInTheirArrays) {
  for (int64_t width = 1; width <= 67; ++width)
    for (const int64_t rows : {1, 3}) {
      SCOPED_TRACE(width);
      const Floats x = random(rows * width, rng_), weight = random(width, rng_);
      Floats y = unset(rows * width), inverse = unset(rows), d_x = unset(rows * width);
      Floats d_weight(static_cast<size_t>(width), 0.0F);
      table_->rms_norm(x.data(), weight.data(), y.data(), inverse.data(), rows, width, 1e-5F);
      expect_all_written(y, "rms_norm");
      expect_all_written(inverse, "inverse");
      table_->rms_norm_backward(y.data(), x.data(), weight.data(), inverse.data(), d_x.data(),
                                d_weight.data(), rows, width);
      expect_all_written(d_x, "d_x");

      const Floats gate_up = random(2 * rows * width, rng_);
      Floats out = unset(rows * width), d_gate_up = unset(2 * rows * width);
      table_->swiglu(gate_up.data(), out.data(), rows, width);
      expect_all_written(out, "swiglu");
      table_->swiglu_backward(out.data(), gate_up.data(), d_gate_up.data(), rows, width);
      expect_all_written(d_gate_up, "d_gate_up");

      Floats logits = random(rows * width, rng_), log_probs = unset(rows);
      const std::vector<int64_t> targets(static_cast<size_t>(rows), width - 1);
      table_->softmax_rows(logits.data(), targets.data(), nullptr, log_probs.data(), rows, width,
                           SoftmaxRows::gradient);
      expect_all_written(log_probs, "log_probs");
      double sum = 0;  // of softmax less one hot, over a row
      for (int64_t i = 0; i < width; ++i) sum += logits[static_cast<size_t>(i)];
      EXPECT_NEAR(sum, 0, 1e-5);
    }
}

// One key/value head with two query heads, one document, the scratch filled with NaN.
TEST_P(KernelTable, AttentionStaysInItsScratchAndReadsNoneOfItUnwritten) {
  for (const int64_t size : {16, 32, 64, 128}) {
    ASSERT_TRUE(table_->attention_fits(size));
    for (const int64_t tokens : {1, 2, 15, 16, 17, 31, 32, 33, 47, 64, 65, 95, 97}) {
      SCOPED_TRACE(testing::Message() << size << " x " << tokens);
      const int64_t row = 4 * size;
      const Floats qkv = random(tokens * row, rng_), turn = random(tokens * size / 2, rng_);
      const Floats d_out = random(tokens * 2 * size, rng_);
      Floats out = unset(tokens * 2 * size), lse = unset(tokens * 2), d_qkv = unset(tokens * row);
      const int64_t room = table_->attention_scratch(tokens, size);
      Floats forward = unset(room), backward = unset(room);
      AttentionUnit unit{.tokens = tokens, .heads = 2, .size = size};
      unit.qkv_row = row;
      unit.out_row = 2 * size;
      unit.lse_row = 2;
      unit.q = qkv.data();
      unit.k = unit.q + 2 * size;
      unit.v = unit.q + 3 * size;
      unit.cos = unit.sin = turn.data();
      unit.out = out.data();
      unit.lse = lse.data();
      unit.scratch = forward.data();
      table_->attention(unit);
      expect_all_written(out, "out");
      expect_all_written(lse, "lse");
      unit.scratch = backward.data();
      unit.d_out = d_out.data();
      unit.d_q = d_qkv.data();
      unit.d_k = unit.d_q + 2 * size;
      unit.d_v = unit.d_q + 3 * size;
      table_->attention_backward(unit);
      expect_all_written(d_qkv, "d_qkv");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, KernelTable, testing::Values("avx512", "avx2"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace helio::nn
