#include "checkpoint/quant/quantise.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "checkpoint/quant/blocks.h"
#include "checkpoint/quant/quantise_k.h"
#include "core/error.h"

namespace helio::checkpoint {
namespace {

HELIO_INLINE void put_half(uint8_t* out, float value) {
  const uint16_t half = float_to_half(value);
  out[0] = static_cast<uint8_t>(half);
  out[1] = static_cast<uint8_t>(half >> 8);
}

// What maps a value to its level; a scale so small that its inverse is infinite counts as zero.
HELIO_INLINE float inverse_of(float scale) { return scale != 0 ? 1.0f / scale : 0.0f; }

// Down to a whole number from 0 to `most`; NaN (0 times infinity) is 0.
HELIO_INLINE uint8_t level(float value, float most) {
  const float low = value > 0 ? value : 0.0f;
  return static_cast<uint8_t>(low < most ? low : most);
}

// The value of largest magnitude, the first of equals.
HELIO_INLINE float largest_of(const float* x) {
  float largest = 0, out = 0;
  for (int i = 0; i < 32; ++i)
    if (const float magnitude = std::fabs(x[i]); magnitude > largest) {
      largest = magnitude;
      out = x[i];
    }
  return out;
}

HELIO_INLINE void split_nibbles(const uint8_t* levels, uint8_t* out) {
  for (int i = 0; i < 16; ++i)
    out[i] = static_cast<uint8_t>((levels[i] & 15) | (levels[i + 16] & 15) << 4);
}
HELIO_INLINE void put_fifth_bits(const uint8_t* levels, uint8_t* out) {
  uint32_t bits = 0;
  for (uint32_t i = 0; i < 32; ++i) bits |= uint32_t(levels[i] >> 4) << i;
  std::memcpy(out, &bits, sizeof bits);
}

// Symmetric: `Half` levels on each side of zero. Offset: from the least value up, `Most` levels.
template <int Half>
HELIO_INLINE void symmetric(const float* x, uint8_t* scale, uint8_t* levels) {
  const float d = largest_of(x) / -static_cast<float>(Half), inverse = inverse_of(d);
  put_half(scale, d);
  for (int i = 0; i < 32; ++i)
    levels[i] =
        level(x[i] * inverse + (static_cast<float>(Half) + 0.5f), static_cast<float>(2 * Half - 1));
}
template <int Most>
HELIO_INLINE void offset(const float* x, uint8_t* scales, uint8_t* levels) {
  float least = x[0], most = x[0];  // the first of equals, which zeros of both signs are
  for (int i = 1; i < 32; ++i) {
    least = x[i] < least ? x[i] : least;
    most = x[i] > most ? x[i] : most;
  }
  const float d = (most - least) / static_cast<float>(Most), inverse = inverse_of(d);
  put_half(scales, d);
  put_half(scales + 2, least);
  for (int i = 0; i < 32; ++i)
    levels[i] = level((x[i] - least) * inverse + 0.5f, static_cast<float>(Most));
}

void encode_q4_0(const float* x, uint8_t* out) {
  uint8_t levels[32];
  symmetric<8>(x, out, levels);
  split_nibbles(levels, out + 2);
}
void encode_q4_1(const float* x, uint8_t* out) {
  uint8_t levels[32];
  offset<15>(x, out, levels);
  split_nibbles(levels, out + 4);
}
void encode_q5_0(const float* x, uint8_t* out) {
  uint8_t levels[32];
  symmetric<16>(x, out, levels);
  put_fifth_bits(levels, out + 2);
  split_nibbles(levels, out + 6);
}
void encode_q5_1(const float* x, uint8_t* out) {
  uint8_t levels[32];
  offset<31>(x, out, levels);
  put_fifth_bits(levels, out + 4);
  split_nibbles(levels, out + 8);
}
void encode_q8_0(const float* x, uint8_t* out) {
  float largest = 0;
  for (int i = 0; i < 32; ++i) largest = std::max(largest, std::fabs(x[i]));
  const float d = largest / 127.0f, inverse = inverse_of(d);
  put_half(out, d);
  for (int i = 0; i < 32; ++i) {
    // Halves away from zero.
    const float scaled = x[i] * inverse, magnitude = std::min(std::fabs(scaled), 127.0f);
    const auto whole = static_cast<int>(magnitude == magnitude ? magnitude : 0.0f);
    const int rounded = whole + (magnitude - static_cast<float>(whole) >= 0.5f ? 1 : 0);
    out[2 + i] = static_cast<uint8_t>(scaled < 0 ? -rounded : rounded);
  }
}

void check_finite(std::span<const float> values, GgmlType type) {
  for (const float value : values)
    if (!std::isfinite(value))
      throw Error(ErrorKind::invalid, fmt::format("a value is {}, which {} cannot hold", value,
                                                  ggml_type_info(type).name))
          .with_hint("`helio model check` lists the tensors that are not finite");
}

// `Scales` f16 scales of a block begin at byte `Begin`; infinite there means that the block is
// lost.
template <void (*Encode)(const float*, uint8_t*), size_t Begin, size_t Scales>
void encode(GgmlType type, std::span<const float> values, uint8_t* out) {
  const auto& info = ggml_type_info(type);
  check_finite(values, type);
  for (size_t at = 0; at < values.size(); at += info.block, out += info.bytes) {
    Encode(values.data() + at, out);
    for (size_t i = 0; i < Scales; ++i)
      if ((out[Begin + 2 * i + 1] & 0x7c) == 0x7c)
        throw Error(ErrorKind::invalid,
                    fmt::format("values are too large for the scales of {}", info.name))
            .with_hint("export as f32 or bf16");
  }
}

}  // namespace

bool can_quantise(GgmlType type) {
  switch (type) {
    case GgmlType::f32:
    case GgmlType::f16:
    case GgmlType::bf16:
    case GgmlType::q4_0:
    case GgmlType::q4_1:
    case GgmlType::q5_0:
    case GgmlType::q5_1:
    case GgmlType::q8_0:
    case GgmlType::q4_k:
    case GgmlType::q5_k:
    case GgmlType::q6_k:
      return true;
    default:
      return false;
  }
}

void quantise(GgmlType type, std::span<const float> values, std::span<std::byte> bytes) {
  const auto& info = ggml_type_info(type);
  HELIO_CHECK(
      values.size() % info.block == 0 && bytes.size() == values.size() / info.block * info.bytes,
      "a buffer that does not fit the blocks");
  auto* out = reinterpret_cast<uint8_t*>(bytes.data());
  switch (type) {
    case GgmlType::f32:
      if (!values.empty()) std::memcpy(out, values.data(), bytes.size());
      return;
    case GgmlType::f16:
    case GgmlType::bf16:
      for (size_t i = 0; i < values.size(); ++i) {
        const uint16_t half =
            type == GgmlType::f16 ? float_to_half(values[i]) : float_to_bfloat(values[i]);
        std::memcpy(out + 2 * i, &half, sizeof half);
      }
      return;
    case GgmlType::q4_0:
      return encode<encode_q4_0, 0, 1>(type, values, out);
    case GgmlType::q4_1:
      return encode<encode_q4_1, 0, 2>(type, values, out);
    case GgmlType::q5_0:
      return encode<encode_q5_0, 0, 1>(type, values, out);
    case GgmlType::q5_1:
      return encode<encode_q5_1, 0, 2>(type, values, out);
    case GgmlType::q8_0:
      return encode<encode_q8_0, 0, 1>(type, values, out);
    case GgmlType::q4_k:
      return encode<encode_q4_k, 0, 2>(type, values, out);
    case GgmlType::q5_k:
      return encode<encode_q5_k, 0, 2>(type, values, out);
    case GgmlType::q6_k:
      return encode<encode_q6_k, 208, 1>(type, values, out);
    default:
      throw Error(ErrorKind::invalid,
                  "tensors of type " + std::string(info.name) + " are not written by helio")
          .with_hint("written are F32, F16, BF16, Q8_0, Q4_0, Q4_K and Q6_K");
  }
}

}  // namespace helio::checkpoint
