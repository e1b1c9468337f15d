#include "checkpoint/float_rows.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "core/error.h"

namespace helio::checkpoint {
namespace {

template <class T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}
template <class T>
void save(std::byte* to, T value) {
  std::memcpy(to, &value, sizeof(T));
}

float from_bf16(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }

float from_f16(uint16_t bits) {
  const uint32_t sign = uint32_t(bits & 0x8000U) << 16, exponent = (bits >> 10) & 31U,
                 fraction = bits & 0x3FFU;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000U | fraction << 13);
  if (exponent == 0) return std::copysign(std::ldexp(float(fraction), -24), sign ? -1.0F : 1.0F);
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
}

// A float32 that a second rounding to far fewer bits takes to where one rounding would have gone:
// cut towards zero, the last bit set when anything was cut ("rounding to odd").
uint32_t odd_bits(double value) {
  const auto near = static_cast<float>(value);
  auto bits = std::bit_cast<uint32_t>(near);
  if (std::isnan(value) || static_cast<double>(near) == value) return bits;
  if (std::abs(static_cast<double>(near)) > std::abs(value)) --bits;
  return bits | 1U;
}

uint16_t to_bf16(double value) {
  if (std::isnan(value)) return 0x7FC0;
  const uint32_t bits = odd_bits(value);
  return static_cast<uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

uint16_t to_f16(double value) {
  if (std::isnan(value)) return 0x7E00;
  const uint32_t bits = odd_bits(value), sign = (bits >> 16) & 0x8000U;
  uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude >= 0x47800000U) return static_cast<uint16_t>(sign | 0x7C00U);  // 65536 and up
  if (magnitude >= 0x38800000U) {                                              // 2^-14 and up
    magnitude -= uint32_t(112) << 23;
    return static_cast<uint16_t>(sign | ((magnitude + 0xFFFU + ((magnitude >> 13) & 1U)) >> 13));
  }
  // Below that the spacing is 2^-24: the rounding of the whole number that is left.
  const float steps = std::ldexp(std::bit_cast<float>(magnitude), 24);
  return static_cast<uint16_t>(sign | static_cast<uint32_t>(std::nearbyint(steps)));
}

double element(const std::byte* from, DType dtype) {
  switch (dtype) {
    case DType::f64:
      return load<double>(from);
    case DType::f32:
      return load<float>(from);
    case DType::f16:
      return from_f16(load<uint16_t>(from));
    case DType::bf16:
      return from_bf16(load<uint16_t>(from));
    default:
      break;
  }
  HELIO_CHECK(false, "not a floating-point dtype");
  return 0;
}

}  // namespace

bool is_float(DType dtype) {
  return dtype == DType::f64 || dtype == DType::f32 || dtype == DType::f16 || dtype == DType::bf16;
}

FloatRows::FloatRows(std::span<const std::byte> data, DType dtype, int64_t width)
    : data_(data), dtype_(dtype), width_(width), rows_(0) {
  HELIO_CHECK(is_float(dtype) && width > 0, "rows of floating-point numbers");
  rows_ = static_cast<int64_t>(data.size() / (dtype_size(dtype) * static_cast<size_t>(width)));
}

std::span<const std::byte> FloatRows::bytes(int64_t row) const {
  const size_t size = dtype_size(dtype_) * static_cast<size_t>(width_);
  return data_.subspan(static_cast<size_t>(row) * size, size);
}

void FloatRows::add(int64_t row, std::span<double> sum) const {
  const size_t step = dtype_size(dtype_);
  const std::byte* from = bytes(row).data();
  for (double& value : sum.first(static_cast<size_t>(width_))) {
    value += element(from, dtype_);
    from += step;
  }
}

void store_floats(std::span<const double> values, DType dtype, std::span<std::byte> to) {
  HELIO_CHECK(is_float(dtype) && to.size() == values.size() * dtype_size(dtype),
              "a place for every number");
  std::byte* at = to.data();
  for (const double value : values) {
    switch (dtype) {
      case DType::f64:
        save(at, value);
        break;
      case DType::f32:
        save(at, static_cast<float>(value));
        break;
      case DType::f16:
        save(at, to_f16(value));
        break;
      default:
        save(at, to_bf16(value));
        break;
    }
    at += dtype_size(dtype);
  }
}

}  // namespace helio::checkpoint
