// The small float formats, bit by bit, without branches that would keep a compiler from using
// vector instructions. Rounding is to nearest, ties to even, as torch's `.to` does.
#pragma once

#include <bit>
#include <cstdint>

namespace helio::checkpoint {

// IEEE binary16.
inline float half_to_float(uint16_t half) {
  const uint32_t sign = uint32_t(half & 0x8000U) << 16;
  const uint32_t magnitude = half & 0x7fffU;
  // Exponent moved from bias 15 to 127 by a multiplication, which also sets subnormals right.
  const float scaled = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
  const uint32_t special = 0x7f800000U | (magnitude << 13);  // infinite, NaN
  const uint32_t bits = magnitude >= 0x7c00U ? special : std::bit_cast<uint32_t>(scaled);
  return std::bit_cast<float>(sign | bits);
}

inline uint16_t float_to_half(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value), sign = (bits >> 16) & 0x8000U;
  const uint32_t magnitude = bits & 0x7fffffffU;
  // Below 2^-14 the result is subnormal: adding 0.5 lines the last place up with f32's own.
  const uint32_t low =
      std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000U;
  const uint32_t normal = (magnitude - 0x38000000U + 0xfffU + ((magnitude >> 13) & 1U)) >> 13;
  uint32_t half = magnitude < 0x38800000U ? low : normal;
  half = magnitude >= 0x477ff000U ? 0x7c00U : half;  // 65520 and above is infinite
  half = magnitude > 0x7f800000U ? 0x7e00U : half;   // NaN
  return static_cast<uint16_t>(sign | half);
}

inline float bfloat_to_float(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }

inline uint16_t float_to_bfloat(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t rounded = (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;
  return static_cast<uint16_t>((bits & 0x7fffffffU) > 0x7f800000U ? 0x7fc0U : rounded);
}

// OCP float8: E5M2 is binary16's upper byte; E4M3 ("fn") has no infinity and one NaN.
inline float e5m2_to_float(uint8_t bits) { return half_to_float(static_cast<uint16_t>(bits << 8)); }

inline float e4m3_to_float(uint8_t bits) {
  const uint32_t sign = uint32_t(bits & 0x80U) << 24, magnitude = bits & 0x7fU;
  const float scaled = std::bit_cast<float>(magnitude << 20) * 0x1p120f;
  const uint32_t value = magnitude == 0x7f ? 0x7fc00000U : std::bit_cast<uint32_t>(scaled);
  return std::bit_cast<float>(sign | value);
}

}  // namespace helio::checkpoint
