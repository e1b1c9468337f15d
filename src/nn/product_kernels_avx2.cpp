// The product kernels for processors with AVX2 and FMA.
#include "nn/product_kernels.h"

#if defined(__x86_64__)
#pragma GCC target("avx2,fma,f16c")
#pragma GCC optimize("O3", "fp-contract=fast")
#include <immintrin.h>
#define HELIO_LANES 8
#include "nn/product_kernels_impl.h"

namespace helio::nn {
namespace {

inline __m256i four_codes(const int8_t* at) {
  int32_t word;
  __builtin_memcpy(&word, at, sizeof(word));
  return _mm256_set1_epi32(word);
}

inline __m256 scales_of(const uint16_t* at) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
}

inline __m256i add_pairs(__m256i sum, __m256i products) {
  return _mm256_add_epi32(sum, _mm256_madd_epi16(products, _mm256_set1_epi16(1)));
}

// Block `b`'s sums of half a panel, scaled, to the totals.
template <int kTokens>
inline __attribute__((always_inline)) void add_block(const PanelJob& job, int64_t place,
                                                     int64_t half, int64_t b, const __m256i* sums,
                                                     __m256* totals) {
  const __m256 scales = scales_of(job.scales + b * kPanelRows + half * 8);
#pragma GCC unroll 4
  for (int64_t t = 0; t < kTokens; ++t) {
    const float code_scale = job.code_scales[place + b * kTokenGroup + t];
    totals[t] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[t]),
                                _mm256_mul_ps(scales, _mm256_set1_ps(code_scale)), totals[t]);
  }
}

template <int kTokens>
inline __attribute__((always_inline)) void put_half(const PanelJob& job, int64_t first,
                                                    int64_t half, const __m256* totals) {
  for (int64_t t = 0; t < kTokens; ++t) {
    float values[8];
    _mm256_storeu_ps(values, totals[t]);
    float* const out = job.out + (first + t) * job.out_row + half * 8;
    for (int64_t i = 0; i < 8 && half * 8 + i < job.columns; ++i)
      out[i] = job.output == Output::add ? out[i] + values[i] : values[i];
  }
}

// Values stored with 128 added; products need one factor without a sign, so that of the weight
// moves to the code. |weight| <= 128, |code| <= 127: two products fit into 16 bits.
template <int kTokens>
void int8_tokens(const PanelJob& job, int64_t first) {
  for (int64_t half = 0; half < 2; ++half) {
    const auto* block = static_cast<const uint8_t*>(job.weights) + half * 32;
    const int64_t place = place_of(first, job.blocks);
    const int8_t* codes = job.codes + place * kBlock;
    __m256 totals[kTokens];
    for (int64_t t = 0; t < kTokens; ++t) totals[t] = _mm256_setzero_ps();
    for (int64_t b = 0; b < job.blocks; ++b, block += 512, codes += kTokenGroup * kBlock) {
      __m256i sums[kTokens];
      for (int64_t t = 0; t < kTokens; ++t) sums[t] = _mm256_setzero_si256();
      for (int64_t g = 0; g < 8; ++g) {
        const __m256i stored = _mm256_load_si256(reinterpret_cast<const __m256i*>(block + g * 64));
        const __m256i weight = _mm256_xor_si256(stored, _mm256_set1_epi8(-128));
        const __m256i magnitude = _mm256_abs_epi8(weight);
#pragma GCC unroll 4
        for (int64_t t = 0; t < kTokens; ++t)
          sums[t] = add_pairs(
              sums[t],
              _mm256_maddubs_epi16(
                  magnitude, _mm256_sign_epi8(four_codes(codes + t * kBlock + g * 4), weight)));
      }
      add_block<kTokens>(job, place, half, b, sums, totals);
    }
    put_half<kTokens>(job, first, half, totals);
  }
}

template <int kTokens>
void int4_tokens(const PanelJob& job, int64_t first) {
  const __m256i low = _mm256_set1_epi8(15);
  for (int64_t half = 0; half < 2; ++half) {
    const auto* block = static_cast<const uint8_t*>(job.weights) + half * 32;
    const int64_t place = place_of(first, job.blocks);
    const int8_t* codes = job.codes + place * kBlock;
    __m256 totals[kTokens];
    for (int64_t t = 0; t < kTokens; ++t) totals[t] = _mm256_setzero_ps();
    for (int64_t b = 0; b < job.blocks; ++b, block += 256, codes += kTokenGroup * kBlock) {
      __m256i sums[kTokens];
      for (int64_t t = 0; t < kTokens; ++t)
        sums[t] = _mm256_set1_epi32(job.offsets[place + b * kTokenGroup + t]);
      for (int64_t g = 0; g < 4; ++g) {
        const __m256i both = _mm256_load_si256(reinterpret_cast<const __m256i*>(block + g * 64));
        const __m256i lower = _mm256_and_si256(both, low);
        const __m256i upper = _mm256_and_si256(_mm256_srli_epi16(both, 4), low);
#pragma GCC unroll 4
        for (int64_t t = 0; t < kTokens; ++t) {
          const int8_t* const at = codes + t * kBlock + g * 4;
          // 4 * 15 * 127 fits into 16 bits.
          sums[t] = add_pairs(sums[t],
                              _mm256_add_epi16(_mm256_maddubs_epi16(lower, four_codes(at)),
                                               _mm256_maddubs_epi16(upper, four_codes(at + 16))));
        }
      }
      add_block<kTokens>(job, place, half, b, sums, totals);
    }
    put_half<kTokens>(job, first, half, totals);
  }
}

// Sixteen registers: four tokens at once at most.
void int8_panel(const PanelJob& job) {
  int64_t token = 0;
  for (; token + 4 <= job.tokens; token += 4) int8_tokens<4>(job, token);
  for (; token < job.tokens; ++token) int8_tokens<1>(job, token);
}
void int4_panel(const PanelJob& job) {
  int64_t token = 0;
  for (; token + 4 <= job.tokens; token += 4) int4_tokens<4>(job, token);
  for (; token < job.tokens; ++token) int4_tokens<1>(job, token);
}

}  // namespace

const ProductKernels& avx2_product_kernels() {
  static constexpr ProductKernels table = {"avx2",     quantise_row, int8_panel,
                                           int4_panel, bf16_panel,   f32_rows};
  return table;
}

}  // namespace helio::nn
#else
namespace helio::nn {
const ProductKernels& avx2_product_kernels() { return plain_product_kernels(); }
}  // namespace helio::nn
#endif
