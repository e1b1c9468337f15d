// One block of each quantised type, from bytes to floats. Layouts: ggml-common.h (ggml 0.19); the
// order of operations decides the last bit and is gguf-py's.
#pragma once

#include <cstdint>
#include <cstring>

#include "checkpoint/quant/floats.h"

// Inlined into loops that are compiled for several instruction sets.
#define HELIO_INLINE inline __attribute__((always_inline))

namespace helio::checkpoint::blocks {

HELIO_INLINE float half_at(const uint8_t* at) {
  return half_to_float(static_cast<uint16_t>(at[0] | at[1] << 8));
}

// The 16 levels of IQ4_NL and IQ4_XS, and MXFP4's e2m1 values doubled.
inline constexpr int8_t kIq4Levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                          1,    13,   25,  38,  53,  69,  89,  113};
inline constexpr int8_t kMxfp4Levels[16] = {0, 1,  2,  3,  4,  6,  8,  12,
                                            0, -1, -2, -3, -4, -6, -8, -12};

struct Q4_0 {
  static constexpr int elements = 32, bytes = 18;
  static HELIO_INLINE void decode(const uint8_t* in, float* out) {
    const float d = half_at(in);
    for (int i = 0; i < 16; ++i) {
      out[i] = d * static_cast<float>((in[2 + i] & 15) - 8);
      out[i + 16] = d * static_cast<float>((in[2 + i] >> 4) - 8);
    }
  }
};

struct Q4_1 {
  static constexpr int elements = 32, bytes = 20;
  static HELIO_INLINE void decode(const uint8_t* in, float* out) {
    const float d = half_at(in), m = half_at(in + 2);
    for (int i = 0; i < 16; ++i) {
      out[i] = d * static_cast<float>(in[4 + i] & 15) + m;
      out[i + 16] = d * static_cast<float>(in[4 + i] >> 4) + m;
    }
  }
};

HELIO_INLINE uint32_t u32_at(const uint8_t* at) {
  uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

struct Q5_0 {
  static constexpr int elements = 32, bytes = 22;
  static HELIO_INLINE void decode(const uint8_t* in, float* out) {
    const float d = half_at(in);
    const uint32_t high = u32_at(in + 2);
    for (uint32_t i = 0; i < 16; ++i) {
      const uint32_t low = (in[6 + i] & 15U) | ((high >> i) & 1U) << 4;
      const uint32_t top = (in[6 + i] >> 4U) | ((high >> (i + 16)) & 1U) << 4;
      out[i] = d * static_cast<float>(int(low) - 16);
      out[i + 16] = d * static_cast<float>(int(top) - 16);
    }
  }
};

struct Q5_1 {
  static constexpr int elements = 32, bytes = 24;
  static HELIO_INLINE void decode(const uint8_t* in, float* out) {
    const float d = half_at(in), m = half_at(in + 2);
    const uint32_t high = u32_at(in + 4);
    for (uint32_t i = 0; i < 16; ++i) {
      const uint32_t low = (in[8 + i] & 15U) | ((high >> i) & 1U) << 4;
      const uint32_t top = (in[8 + i] >> 4U) | ((high >> (i + 16)) & 1U) << 4;
      out[i] = d * static_cast<float>(int(low)) + m;
      out[i + 16] = d * static_cast<float>(int(top)) + m;
    }
  }
};

struct Q8_0 {
  static constexpr int elements = 32, bytes = 34;
  static HELIO_INLINE void decode(const uint8_t* in, float* out) {
    const float d = half_at(in);
    for (int i = 0; i < 32; ++i) out[i] = static_cast<float>(static_cast<int8_t>(in[2 + i])) * d;
  }
};

// 16 groups of 16: a byte of two 4-bit factors each, 2 bits an element.
struct Q2_K {
  static constexpr int elements = 256, bytes = 84;
  static HELIO_INLINE void decode(const uint8_t* in, float* out) {
    const uint8_t* q = in + 16;
    const float d = half_at(in + 80), m = half_at(in + 82);
    for (int group = 0; group < 16; ++group) {
      const float dl = d * static_cast<float>(in[group] & 15);
      const float ml = m * static_cast<float>(in[group] >> 4);
      const int begin = group / 8 * 32 + group % 2 * 16, shift = group / 2 % 4 * 2;
      for (int i = 0; i < 16; ++i)
        out[group * 16 + i] = dl * static_cast<float>((q[begin + i] >> shift) & 3) - ml;
    }
  }
};

// 16 groups of 16: a 6-bit signed factor each; 2 bits an element and a third in a mask, where a
// set bit means "not four less".
struct Q3_K {
  static constexpr int elements = 256, bytes = 110;
  static HELIO_INLINE void decode(const uint8_t* in, float* out) {
    const uint8_t *mask = in, *q = in + 32, *scales = in + 96;
    const float d = half_at(in + 108);
    for (int group = 0; group < 16; ++group) {
      const int low = (scales[group % 8] >> (group / 8 * 4)) & 15;
      const int high = (scales[8 + group % 4] >> (group / 4 * 2)) & 3;
      const float dl = d * static_cast<float>((low | high << 4) - 32);
      const int begin = group % 2 * 16, shift = group / 2 % 4 * 2, bit = group / 2;
      for (int i = 0; i < 16; ++i) {
        const int value = (q[group / 8 * 32 + begin + i] >> shift) & 3;
        const int less = ((mask[begin + i] >> bit) & 1) ^ 1;
        out[group * 16 + i] = dl * static_cast<float>(value - less * 4);
      }
    }
  }
};

// The 6-bit factors of Q4_K's and Q5_K's 8 groups of 32, in 12 bytes.
HELIO_INLINE void k_factors(const uint8_t* packed, int group, int& scale, int& minimum) {
  if (group < 4) {
    scale = packed[group] & 63;
    minimum = packed[group + 4] & 63;
  } else {
    scale = (packed[group + 4] & 15) | (packed[group - 4] >> 6) << 4;
    minimum = packed[group + 4] >> 4 | (packed[group] >> 6) << 4;
  }
}

struct Q4_K {
  static constexpr int elements = 256, bytes = 144;
  static HELIO_INLINE void decode(const uint8_t* in, float* out) {
    const float d = half_at(in), m = half_at(in + 2);
    for (int group = 0; group < 8; ++group) {
      int scale = 0, minimum = 0;
      k_factors(in + 4, group, scale, minimum);
      const float dl = d * static_cast<float>(scale), ml = m * static_cast<float>(minimum);
      const uint8_t* q = in + 16 + group / 2 * 32;
      const int shift = group % 2 * 4;
      for (int i = 0; i < 32; ++i)
        out[group * 32 + i] = dl * static_cast<float>((q[i] >> shift) & 15) - ml;
    }
  }
};

struct Q5_K {
  static constexpr int elements = 256, bytes = 176;
  static HELIO_INLINE void decode(const uint8_t* in, float* out) {
    const float d = half_at(in), m = half_at(in + 2);
    const uint8_t* high = in + 16;
    for (int group = 0; group < 8; ++group) {
      int scale = 0, minimum = 0;
      k_factors(in + 4, group, scale, minimum);
      const float dl = d * static_cast<float>(scale), ml = m * static_cast<float>(minimum);
      const uint8_t* q = in + 48 + group / 2 * 32;
      const int shift = group % 2 * 4;
      for (int i = 0; i < 32; ++i) {
        const int value = ((q[i] >> shift) & 15) | ((high[i] >> group) & 1) << 4;
        out[group * 32 + i] = dl * static_cast<float>(value) - ml;
      }
    }
  }
};

// 16 groups of 16: a signed byte each; 4 bits an element and 2 more.
struct Q6_K {
  static constexpr int elements = 256, bytes = 210;
  static HELIO_INLINE void decode(const uint8_t* in, float* out) {
    const float d = half_at(in + 208);
    for (int group = 0; group < 16; ++group) {
      const float dl = d * static_cast<float>(static_cast<int8_t>(in[192 + group]));
      const int half = group / 8, within = group % 8 * 16;  // 0 to 127 within the half
      const uint8_t* low = in + half * 64 + within % 64;
      const uint8_t* high = in + 128 + half * 32 + within % 32;
      const int low_shift = within / 64 * 4, high_shift = within / 32 * 2;
      for (int i = 0; i < 16; ++i) {
        const int value = ((low[i] >> low_shift) & 15) | ((high[i] >> high_shift) & 3) << 4;
        out[group * 16 + i] = dl * static_cast<float>(value - 32);
      }
    }
  }
};

struct Iq4Nl {
  static constexpr int elements = 32, bytes = 18;
  static HELIO_INLINE void decode(const uint8_t* in, float* out) {
    const float d = half_at(in);
    for (int i = 0; i < 16; ++i) {
      out[i] = d * static_cast<float>(kIq4Levels[in[2 + i] & 15]);
      out[i + 16] = d * static_cast<float>(kIq4Levels[in[2 + i] >> 4]);
    }
  }
};

struct Iq4Xs {
  static constexpr int elements = 256, bytes = 136;
  static HELIO_INLINE void decode(const uint8_t* in, float* out) {
    const float d = half_at(in);
    const int high = in[2] | in[3] << 8;
    for (int group = 0; group < 8; ++group) {
      const int low = (in[4 + group / 2] >> (group % 2 * 4)) & 15;
      const float dl = d * static_cast<float>((low | ((high >> (2 * group)) & 3) << 4) - 32);
      const uint8_t* q = in + 8 + group * 16;
      for (int i = 0; i < 16; ++i) {
        out[group * 32 + i] = dl * static_cast<float>(kIq4Levels[q[i] & 15]);
        out[group * 32 + 16 + i] = dl * static_cast<float>(kIq4Levels[q[i] >> 4]);
      }
    }
  }
};

struct Mxfp4 {
  static constexpr int elements = 32, bytes = 17;
  static HELIO_INLINE void decode(const uint8_t* in, float* out) {
    // Half of 2^(e - 127): the levels are doubled.
    const uint32_t e = in[0];
    const float d = std::bit_cast<float>(e < 2 ? 0x00200000U << e : (e - 1) << 23);
    for (int i = 0; i < 16; ++i) {
      out[i] = d * static_cast<float>(kMxfp4Levels[in[1 + i] & 15]);
      out[i + 16] = d * static_cast<float>(kMxfp4Levels[in[1 + i] >> 4]);
    }
  }
};

struct F16 {
  static constexpr int elements = 1, bytes = 2;
  static HELIO_INLINE void decode(const uint8_t* in, float* out) { *out = half_at(in); }
};

struct Bf16 {
  static constexpr int elements = 1, bytes = 2;
  static HELIO_INLINE void decode(const uint8_t* in, float* out) {
    *out = bfloat_to_float(static_cast<uint16_t>(in[0] | in[1] << 8));
  }
};

}  // namespace helio::checkpoint::blocks
