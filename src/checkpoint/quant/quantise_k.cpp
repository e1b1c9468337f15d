// The arithmetic is ggml's (quantize_row_q4_K_ref, q5_K, q6_K; ggml 0.19): the order of every sum
// decides which of two nearly equal scales wins, so it is kept.
#include "checkpoint/quant/quantise_k.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "checkpoint/quant/blocks.h"

namespace helio::checkpoint {
namespace {

// Nearest whole number, ties to even, by f32's own rounding; for magnitudes below 2^22. What is
// larger or NaN gives some number, which the callers clamp.
HELIO_INLINE int nearest(float value) {
  const auto bits = std::bit_cast<int32_t>(value + 12582912.0f);
  return (bits & 0x007fffff) - 0x00400000;
}

void put_half(uint8_t* out, float value) {
  const uint16_t half = float_to_half(value);
  std::memcpy(out, &half, sizeof half);
}

// A group of x ~ scale * level - offset, with 0 <= level <= levels and offset >= 0.
struct Affine {
  float scale = 0, offset = 0;
};

// Least squares with weights: from a first guess of the scale, others around it are tried, each
// with the best scale and offset for the levels it gives. How far around: `first`, then `steps`
// of 0.1, in levels.
template <int Size>
Affine fit_affine(const float* x, const float* weights, int levels, float first, int steps,
                  uint8_t* chosen) {
  float least = x[0], most = x[0], sum_w = weights[0], sum_x = sum_w * x[0];
  for (int i = 1; i < Size; ++i) {
    least = std::min(least, x[i]);
    most = std::max(most, x[i]);
    sum_w += weights[i];
    sum_x += weights[i] * x[i];
  }
  if (least > 0) least = 0;
  std::fill_n(chosen, Size, uint8_t(0));
  if (most == least) return {.scale = 0, .offset = -least};
  float minimum = least;
  const float guess = static_cast<float>(levels) / (most - minimum);
  float scale = 1 / guess, best = 0;
  for (int i = 0; i < Size; ++i) {
    const int level = std::clamp(nearest(guess * (x[i] - minimum)), 0, levels);
    chosen[i] = static_cast<uint8_t>(level);
    const float off = scale * static_cast<float>(level) + minimum - x[i];
    best += weights[i] * (off * off);
  }
  std::array<float, Size> level_of;
  for (int step = 0; step <= steps; ++step) {
    // Range and levels count from the best minimum so far, as ggml has it.
    const float from = minimum;
    const float tried =
        (first + 0.1f * static_cast<float>(step) + static_cast<float>(levels)) / (most - from);
    float sum_l = 0, sum_l2 = 0, sum_xl = 0;
    for (size_t i = 0; i < Size; ++i)
      level_of[i] = static_cast<float>(std::clamp(nearest(tried * (x[i] - from)), 0, levels));
    for (size_t i = 0; i < Size; ++i) {
      const float weighted = weights[i] * level_of[i];
      sum_l += weighted;
      sum_l2 += weighted * level_of[i];
      sum_xl += weighted * x[i];
    }
    const float determinant = sum_w * sum_l2 - sum_l * sum_l;
    if (!(determinant > 0)) continue;
    float this_scale = (sum_w * sum_xl - sum_x * sum_l) / determinant;
    float this_minimum = (sum_l2 * sum_x - sum_l * sum_xl) / determinant;
    if (this_minimum > 0) {
      this_minimum = 0;
      this_scale = sum_xl / sum_l2;
    }
    float error = 0;
    for (size_t i = 0; i < Size; ++i) {
      const float off = this_scale * level_of[i] + this_minimum - x[i];
      error += weights[i] * (off * off);
    }
    if (error < best) {
      best = error;
      scale = this_scale;
      minimum = this_minimum;
      for (size_t i = 0; i < Size; ++i) chosen[i] = static_cast<uint8_t>(level_of[i]);
    }
  }
  return {.scale = scale, .offset = -minimum};
}

// Q4_K and Q5_K: 8 groups of 32 whose scales and offsets are 6-bit fractions of two f16.
struct AffineBlock {
  std::array<uint8_t, 16> head = {};  // d, dmin, 12 bytes of factors
  std::array<uint8_t, 256> levels = {};
};

AffineBlock encode_affine(const float* x, int levels, float first, int steps) {
  AffineBlock block;
  std::array<Affine, 8> groups;
  float most_scale = 0, most_offset = 0;
  for (size_t group = 0; group < 8; ++group) {
    const float* from = x + group * 32;
    float squares = 0;
    for (int i = 0; i < 32; ++i) squares += from[i] * from[i];
    const float average = std::sqrt(squares / 32);
    std::array<float, 32> weights;  // larger values matter more
    for (size_t i = 0; i < 32; ++i) weights[i] = average + std::fabs(from[i]);
    groups[group] = fit_affine<32>(from, weights.data(), levels, first, steps,
                                   block.levels.data() + group * 32);
    most_scale = std::max(most_scale, groups[group].scale);
    most_offset = std::max(most_offset, groups[group].offset);
  }
  const float to_scale = most_scale > 0 ? 63.0f / most_scale : 0.0f;
  const float to_offset = most_offset > 0 ? 63.0f / most_offset : 0.0f;
  put_half(block.head.data(), most_scale / 63.0f);
  put_half(block.head.data() + 2, most_offset / 63.0f);
  uint8_t* packed = block.head.data() + 4;
  for (size_t group = 0; group < 8; ++group) {
    // A scale may come out below 0; ggml takes its low byte, which is above 63 then.
    const int scale =
        std::min<int>(63, static_cast<uint8_t>(nearest(to_scale * groups[group].scale)));
    const int offset =
        std::min<int>(63, static_cast<uint8_t>(nearest(to_offset * groups[group].offset)));
    if (group < 4) {
      packed[group] = static_cast<uint8_t>(scale);
      packed[group + 4] = static_cast<uint8_t>(offset);
    } else {
      packed[group + 4] = static_cast<uint8_t>((scale & 15) | (offset & 15) << 4);
      packed[group - 4] = static_cast<uint8_t>(packed[group - 4] | (scale >> 4) << 6);
      packed[group] = static_cast<uint8_t>(packed[group] | (offset >> 4) << 6);
    }
  }
  // The levels that the rounded scales call for; those of a scale of 0 stay, though they say
  // nothing.
  const float d = blocks::half_at(block.head.data()), m = blocks::half_at(block.head.data() + 2);
  for (int group = 0; group < 8; ++group) {
    int scale = 0, offset = 0;
    blocks::k_factors(packed, group, scale, offset);
    const float dl = d * static_cast<float>(scale), ml = m * static_cast<float>(offset);
    if (dl == 0) continue;
    for (int i = group * 32; i < group * 32 + 32; ++i)
      block.levels[static_cast<size_t>(i)] =
          static_cast<uint8_t>(std::clamp(nearest((x[i] + ml) / dl), 0, levels));
  }
  return block;
}

// x ~ scale * level with levels from -32 to 31: the scale that loses least, by weights x^2, among
// the one that puts the largest value at an end and 18 near it.
float fit_scale(const float* x, uint8_t* chosen) {
  constexpr int size = 16, end = 32;
  float largest = 0, signed_largest = 0;
  for (int i = 0; i < size; ++i)
    if (const float magnitude = std::fabs(x[i]); magnitude > largest) {
      largest = magnitude;
      signed_largest = x[i];
    }
  std::fill_n(chosen, size, uint8_t(0));
  if (largest < 1e-15f) return 0;
  float scale = 0, best = 0;
  const auto sums = [&](float inverse, float& with_x, float& squares) {
    with_x = squares = 0;
    for (int i = 0; i < size; ++i) {
      const auto level = static_cast<float>(std::clamp(nearest(inverse * x[i]), -end, end - 1));
      const float weight = x[i] * x[i];
      with_x += weight * x[i] * level;
      squares += weight * level * level;
    }
  };
  float with_x = 0, squares = 0;
  float inverse = -static_cast<float>(end) / signed_largest;
  sums(inverse, with_x, squares);
  scale = squares != 0 ? with_x / squares : 0.0f;
  best = scale * with_x;
  for (int step = -9; step <= 9; ++step) {
    if (step == 0) continue;
    const float tried =
        -(static_cast<float>(end) + 0.1f * static_cast<float>(step)) / signed_largest;
    sums(tried, with_x, squares);
    if (squares > 0 && with_x * with_x > best * squares) {
      scale = with_x / squares;
      best = scale * with_x;
      inverse = tried;
    }
  }
  for (int i = 0; i < size; ++i)
    chosen[i] = static_cast<uint8_t>(end + std::clamp(nearest(inverse * x[i]), -end, end - 1));
  return scale;
}

}  // namespace

void encode_q4_k(const float* values, uint8_t* out) {
  const AffineBlock block = encode_affine(values, 15, -1.0f, 20);
  std::memcpy(out, block.head.data(), 16);
  const uint8_t* level = block.levels.data();
  for (int pair = 0; pair < 4; ++pair)
    for (int i = 0; i < 32; ++i)
      out[16 + pair * 32 + i] =
          static_cast<uint8_t>(level[pair * 64 + i] | level[pair * 64 + 32 + i] << 4);
}

void encode_q5_k(const float* values, uint8_t* out) {
  const AffineBlock block = encode_affine(values, 31, -0.5f, 15);
  std::memcpy(out, block.head.data(), 16);
  uint8_t *high = out + 16, *low = out + 48;
  const uint8_t* level = block.levels.data();
  std::memset(high, 0, 32);
  for (int group = 0; group < 8; ++group)
    for (int i = 0; i < 32; ++i)
      high[i] = static_cast<uint8_t>(high[i] | (level[group * 32 + i] >> 4) << group);
  for (int pair = 0; pair < 4; ++pair)
    for (int i = 0; i < 32; ++i)
      low[pair * 32 + i] =
          static_cast<uint8_t>((level[pair * 64 + i] & 15) | (level[pair * 64 + 32 + i] & 15) << 4);
}

void encode_q6_k(const float* values, uint8_t* out) {
  std::array<float, 16> scales;
  std::array<uint8_t, 256> levels;
  float largest = 0, signed_largest = 0;
  for (size_t group = 0; group < 16; ++group) {
    scales[group] = fit_scale(values + group * 16, levels.data() + group * 16);
    if (const float magnitude = std::fabs(scales[group]); magnitude > largest) {
      largest = magnitude;
      signed_largest = scales[group];
    }
  }
  std::memset(out, 0, 210);
  if (largest < 1e-15f) return;
  const float inverse = -128.0f / signed_largest;
  put_half(out + 208, 1 / inverse);
  const float d = blocks::half_at(out + 208);
  for (size_t group = 0; group < 16; ++group) {
    const int factor = std::clamp(nearest(inverse * scales[group]), -128, 127);
    out[192 + group] = static_cast<uint8_t>(factor);
    const float dl = d * static_cast<float>(factor);
    if (dl == 0) continue;
    for (size_t i = group * 16; i < group * 16 + 16; ++i)
      levels[i] = static_cast<uint8_t>(std::clamp(nearest(values[i] / dl), -32, 31) + 32);
  }
  for (int half = 0; half < 2; ++half) {
    const uint8_t* level = levels.data() + half * 128;
    uint8_t *low = out + half * 64, *high = out + 128 + half * 32;
    for (int i = 0; i < 32; ++i) {
      low[i] = static_cast<uint8_t>((level[i] & 15) | (level[i + 64] & 15) << 4);
      low[i + 32] = static_cast<uint8_t>((level[i + 32] & 15) | (level[i + 96] & 15) << 4);
      high[i] = static_cast<uint8_t>(level[i] >> 4 | (level[i + 32] >> 4) << 2 |
                                     (level[i + 64] >> 4) << 4 | (level[i + 96] >> 4) << 6);
    }
  }
}

}  // namespace helio::checkpoint
