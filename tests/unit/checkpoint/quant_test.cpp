// Blocks of ggml's types beside the values that PyPI's gguf and ggml itself make of them (recorded
// by tools/record/gguf_blocks.py).
#include <cmath>
#include <cstring>
#include <limits>

#include "checkpoint/cast.h"
#include "checkpoint/quant/dequantise.h"
#include "checkpoint/quant/floats.h"
#include "checkpoint/quant/quantise.h"
#include "checkpoint_test.h"
#include "core/gguf.h"
#include "core/rng.h"

namespace helio::checkpoint {
namespace {

using namespace testing;

std::vector<float> floats(const SafeTensors& file, const std::string& name) {
  const auto& tensor = file.at(name);
  std::vector<float> out(static_cast<size_t>(tensor.elements()));
  std::memcpy(out.data(), file.data(tensor).data(), out.size() * sizeof(float));
  return out;
}

TEST(Quant, DequantisedBlocksAreBitEqualToPythonsPackage) {
  const GgufFile blocks(fixture("gguf/blocks.gguf"));
  const SafeTensors values(fixture("gguf/values.safetensors"));
  ASSERT_EQ(blocks.tensors().size(), 15u);
  for (const auto& tensor : blocks.tensors()) {
    const auto want = floats(values, std::string(tensor.name));
    std::vector<float> got(want.size());
    ASSERT_TRUE(can_dequantise(tensor.type));
    dequantise(tensor.type, blocks.data(tensor), got);
    EXPECT_EQ(std::memcmp(got.data(), want.data(), got.size() * sizeof(float)), 0) << tensor.name;
  }
}

TEST(Quant, QuantisedRowsAreBitEqualToPythonsPackageAndGgml) {
  const SafeTensors recorded(fixture("gguf/quantise.safetensors"));
  const auto input = floats(recorded, "input");
  const std::vector<std::pair<const char*, GgmlType>> types = {
      {"F16", GgmlType::f16},   {"BF16", GgmlType::bf16}, {"Q4_0", GgmlType::q4_0},
      {"Q4_1", GgmlType::q4_1}, {"Q5_0", GgmlType::q5_0}, {"Q5_1", GgmlType::q5_1},
      {"Q8_0", GgmlType::q8_0}, {"Q4_K", GgmlType::q4_k}, {"Q5_K", GgmlType::q5_k},
      {"Q6_K", GgmlType::q6_k}};
  for (const auto& [name, type] : types) {
    const auto want = recorded.data(recorded.at(name));
    std::vector<std::byte> got(want.size());
    quantise(type, input, got);
    size_t wrong = 0;
    for (size_t i = 0; i < got.size(); ++i) wrong += got[i] != want[i];
    EXPECT_EQ(wrong, 0u) << name;
  }
}

TEST(Quant, WhatIsQuantisedComesBackNear) {
  Rng rng(5);
  std::vector<float> values(4096), back(values.size());
  for (float& value : values) value = static_cast<float>(rng.uniform() * 2 - 1);
  const std::vector<std::pair<GgmlType, double>> most = {{GgmlType::q8_0, 0.005},
                                                         {GgmlType::q6_k, 0.02},
                                                         {GgmlType::q5_k, 0.04},
                                                         {GgmlType::q4_k, 0.1},
                                                         {GgmlType::q4_0, 0.14}};
  for (const auto& [type, bound] : most) {
    const auto& info = ggml_type_info(type);
    std::vector<std::byte> bytes(values.size() / info.block * info.bytes);
    quantise(type, values, bytes);
    dequantise(type, bytes, back);
    double largest = 0;
    for (size_t i = 0; i < values.size(); ++i)
      largest = std::max(largest, std::fabs(double(values[i]) - double(back[i])));
    EXPECT_LT(largest, bound) << info.name;
    EXPECT_GT(largest, bound / 100) << info.name;
  }
}

TEST(Quant, WhatCannotBeHeldIsAnError) {
  std::vector<float> values(256, 1.0f);
  std::vector<std::byte> bytes(256 / 32 * 34);
  values[17] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_NE(error_of([&] { quantise(GgmlType::q8_0, values, bytes); }).find("nan"),
            std::string::npos);
  values[17] = 1e30f;  // the scale overflows f16
  EXPECT_NE(error_of([&] { quantise(GgmlType::q8_0, values, bytes); }).find("too large"),
            std::string::npos);
  EXPECT_FALSE(can_quantise(GgmlType::iq4_xs));
  bytes.resize(136);
  EXPECT_EQ(kind_of([&] { quantise(GgmlType::iq4_xs, values, bytes); }), ErrorKind::invalid);
  std::vector<float> out(256);
  std::vector<std::byte> block(74);
  EXPECT_FALSE(can_dequantise(GgmlType(17)));
  EXPECT_NE(error_of([&] { dequantise(GgmlType(17), block, out); }).find("IQ2_XS"),
            std::string::npos);
}

TEST(Quant, SmallFloatsRoundToNearestEven) {
  // Every half and every bfloat survives; between neighbours the even one wins a tie.
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = half_to_float(half);
    if (!std::isnan(value)) ASSERT_EQ(float_to_half(value), half);
    const float wide = bfloat_to_float(half);
    if (!std::isnan(wide)) ASSERT_EQ(float_to_bfloat(wide), half);
    if ((bits & 0x7fff) < 0x7bff) {
      const float next = half_to_float(static_cast<uint16_t>(bits + 1));
      const float middle = value + (next - value) / 2;
      ASSERT_EQ(float_to_half(middle), (bits & 1) == 0 ? bits : bits + 1) << bits;
      ASSERT_EQ(float_to_half(std::nextafter(middle, value)), bits);
      ASSERT_EQ(float_to_half(std::nextafter(middle, next)), bits + 1);
    }
  }
  EXPECT_EQ(float_to_half(65519.99f), 0x7bff);
  EXPECT_EQ(float_to_half(65520.0f), 0x7c00);
  EXPECT_EQ(float_to_half(1e-9f), 0);
  EXPECT_EQ(half_to_float(0x0001), 0x1p-24f);
  EXPECT_EQ(float_to_bfloat(3.4e38f), 0x7f80);
  EXPECT_TRUE(std::isnan(bfloat_to_float(float_to_bfloat(NAN))));
  EXPECT_TRUE(std::isnan(half_to_float(float_to_half(NAN))));
  EXPECT_EQ(e4m3_to_float(0x7e), 448.0f);
  EXPECT_EQ(e4m3_to_float(0x01), 0x1p-9f);
  EXPECT_EQ(e4m3_to_float(0xb8), -1.0f);
  EXPECT_TRUE(std::isnan(e4m3_to_float(0x7f)));
  EXPECT_EQ(e5m2_to_float(0x7b), 57344.0f);
  EXPECT_EQ(e5m2_to_float(0x3c), 1.0f);
  EXPECT_TRUE(std::isinf(e5m2_to_float(0xfc)));
}

}  // namespace
}  // namespace helio::checkpoint
