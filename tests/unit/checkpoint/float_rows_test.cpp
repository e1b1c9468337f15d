#include "checkpoint/float_rows.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "checkpoint_test.h"

namespace helio::checkpoint {
namespace {

uint16_t stored(double value, DType dtype) {
  uint16_t bits = 0;
  store_floats(std::span(&value, 1), dtype, std::as_writable_bytes(std::span(&bits, 1)));
  return bits;
}
double loaded(uint16_t bits, DType dtype) {
  double sum = 0;
  FloatRows(std::as_bytes(std::span(&bits, 1)), dtype, 1).add(0, std::span(&sum, 1));
  return sum;
}

// Every pattern, every middle between neighbours and what lies just beside it: rounding to nearest,
// ties to even, from the definition alone.
TEST(FloatRows, EveryHalfRoundsFromFloat64InOneStep) {
  const double tiny = 1e-12;
  for (const DType dtype : {DType::f16, DType::bf16}) {
    const uint32_t infinity = dtype == DType::f16 ? 0x7C00 : 0x7F80;
    for (uint32_t bits = 0; bits < infinity; ++bits) {
      const double value = loaded(static_cast<uint16_t>(bits), dtype);
      ASSERT_EQ(stored(value, dtype), bits);
      if (bits > 0) ASSERT_EQ(stored(-value, dtype), bits | 0x8000U);
      if (bits + 1 == infinity) continue;
      const double middle = (value + loaded(static_cast<uint16_t>(bits + 1), dtype)) / 2;
      ASSERT_EQ(stored(middle, dtype), bits + (bits & 1)) << bits;
      ASSERT_EQ(stored(middle * (1 - tiny), dtype), bits) << bits;
      ASSERT_EQ(stored(middle * (1 + tiny), dtype), bits + 1) << bits;
      ASSERT_EQ(stored(-middle * (1 + tiny), dtype), (bits + 1) | 0x8000U) << bits;
    }
    EXPECT_EQ(stored(1e300, dtype), infinity);
    EXPECT_EQ(stored(-std::numeric_limits<double>::infinity(), dtype), infinity | 0x8000U);
    EXPECT_TRUE(std::isinf(loaded(static_cast<uint16_t>(infinity), dtype)));
    EXPECT_TRUE(std::isnan(loaded(stored(std::numeric_limits<double>::quiet_NaN(), dtype), dtype)));
  }
}

TEST(FloatRows, KnownValues) {
  EXPECT_EQ(stored(1.0, DType::f16), 0x3C00);
  EXPECT_EQ(stored(65504, DType::f16), 0x7BFF);
  EXPECT_EQ(stored(65519.99, DType::f16), 0x7BFF);
  EXPECT_EQ(stored(65520, DType::f16), 0x7C00);
  EXPECT_EQ(stored(std::ldexp(1.0, -24), DType::f16), 1);
  EXPECT_EQ(stored(std::ldexp(1.0, -25), DType::f16), 0);
  EXPECT_EQ(stored(1.0, DType::bf16), 0x3F80);
  EXPECT_EQ(stored(3.3895313892515355e38, DType::bf16), 0x7F7F);
}

TEST(FloatRows, RowsAreSummedByColumn) {
  const std::vector<float> table = {1, 2, 3, 4, 5, 6};
  const FloatRows rows(std::as_bytes(std::span(table)), DType::f32, 2);
  EXPECT_EQ(rows.rows(), 3);
  std::vector<double> sum(2, 0.0);
  rows.add(0, sum);
  rows.add(2, sum);
  EXPECT_EQ(sum, (std::vector<double>{6, 8}));
}

}  // namespace
}  // namespace helio::checkpoint
