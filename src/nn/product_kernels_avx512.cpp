// The product kernels for processors with AVX-512 and its VNNI instructions, and its products of
// bfloat16 where it has them.
#include "nn/product_kernels.h"

#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl,avx512vnni,fma,f16c")
#pragma GCC optimize("O3", "fp-contract=fast")
// GCC 12 takes its own _mm512_undefined_ps for a mistake (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#define HELIO_LANES 16
#include "nn/product_kernels_impl.h"

namespace helio::nn {
namespace {

inline __m512i four_codes(const int8_t* at) {
  int32_t word;
  __builtin_memcpy(&word, at, sizeof(word));
  return _mm512_set1_epi32(word);
}

inline __m512 scales_of(const uint16_t* at) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
}

// Of a block's 8 groups of four columns, the g-th of 16 rows.
struct Int8Groups {
  static constexpr int64_t kBytes = 512;
  static inline __attribute__((always_inline)) void load(const uint8_t* block, __m512i* groups) {
#pragma GCC unroll 8
    for (int64_t g = 0; g < 8; ++g) groups[g] = _mm512_load_si512(block + g * 64);
  }
};
struct Int4Groups {
  static constexpr int64_t kBytes = 256;
  static inline __attribute__((always_inline)) void load(const uint8_t* block, __m512i* groups) {
    const __m512i low = _mm512_set1_epi8(15);
#pragma GCC unroll 4
    for (int64_t g = 0; g < 4; ++g) {
      const __m512i both = _mm512_load_si512(block + g * 64);
      groups[g] = _mm512_and_si512(both, low);
      groups[g + 4] = _mm512_and_si512(_mm512_srli_epi16(both, 4), low);
    }
  }
};

template <class Groups, int kTokens>
void quantised_tokens(const PanelJob& job, int64_t first) {
  constexpr int64_t chains = kTokens >= 4 ? 1 : 4 / kTokens;  // so that no sum waits for its last
  const auto* block = static_cast<const uint8_t*>(job.weights);
  const int64_t place = place_of(first, job.blocks);
  const int8_t* codes = job.codes + place * kBlock;
  const float* code_scales = job.code_scales + place;
  const int32_t* offsets = job.offsets + place;
  __m512 totals[kTokens];
#pragma GCC unroll 8
  for (int64_t t = 0; t < kTokens; ++t) totals[t] = _mm512_setzero_ps();
  for (int64_t b = 0; b < job.blocks; ++b) {
    __m512i sums[kTokens][chains], groups[8];
#pragma GCC unroll 8
    for (int64_t t = 0; t < kTokens; ++t) {
      sums[t][0] = _mm512_set1_epi32(offsets[t]);
#pragma GCC unroll 4
      for (int64_t c = 1; c < chains; ++c) sums[t][c] = _mm512_setzero_si512();
    }
    Groups::load(block, groups);
#pragma GCC unroll 8
    for (int64_t g = 0; g < 8; ++g)
#pragma GCC unroll 8
      for (int64_t t = 0; t < kTokens; ++t)
        sums[t][g % chains] = _mm512_dpbusd_epi32(sums[t][g % chains], groups[g],
                                                  four_codes(codes + t * kBlock + g * 4));
    const __m512 scales = scales_of(job.scales + b * kPanelRows);
#pragma GCC unroll 8
    for (int64_t t = 0; t < kTokens; ++t) {
      __m512i sum = sums[t][0];
#pragma GCC unroll 4
      for (int64_t c = 1; c < chains; ++c) sum = _mm512_add_epi32(sum, sums[t][c]);
      const __m512 scale = _mm512_mul_ps(scales, _mm512_set1_ps(code_scales[t]));
      totals[t] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), scale, totals[t]);
    }
    block += Groups::kBytes;
    codes += kTokenGroup * kBlock;
    code_scales += kTokenGroup;
    offsets += kTokenGroup;
  }
#pragma GCC unroll 8
  for (int64_t t = 0; t < kTokens; ++t) {
    const Vector total = reinterpret_cast<const Vector&>(totals[t]);
    put(job, job.out + (first + t) * job.out_row, &total);
  }
}

template <int kTokens>
void int8_tokens(const PanelJob& job, int64_t first) {
  quantised_tokens<Int8Groups, kTokens>(job, first);
}
template <int kTokens>
void int4_tokens(const PanelJob& job, int64_t first) {
  quantised_tokens<Int4Groups, kTokens>(job, first);
}

void int8_panel(const PanelJob& job) { HELIO_EACH_TOKEN_BLOCK(int8_tokens, job); }
void int4_panel(const PanelJob& job) { HELIO_EACH_TOKEN_BLOCK(int4_tokens, job); }

// To the nearest bfloat16, ties to even, NaN as checkpoint::float_to_bfloat has it.
inline __m256i rounded_values(const float* x) {
  const __m512i bits = _mm512_loadu_si512(x);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i up = _mm512_add_epi32(_mm512_set1_epi32(0x7fff), odd);
  const __m512i high = _mm512_srli_epi32(_mm512_add_epi32(bits, up), 16);
  const __m512 values = _mm512_castsi512_ps(bits);
  const __mmask16 nan = _mm512_cmp_ps_mask(values, values, _CMP_UNORD_Q);
  return _mm512_cvtepi32_epi16(_mm512_mask_mov_epi32(high, nan, _mm512_set1_epi32(0x7fc0)));
}

void round_row(const float* x, int64_t width, uint16_t* rounded) {
  for (int64_t first = 0; first < width; first += kBlock, rounded += kTokenGroup * kBlock) {
    float end[kBlock] = {};
    const float* from = x + first;
    if (first + kBlock > width) {
      for (int64_t i = 0; first + i < width; ++i) end[i] = x[first + i];
      from = end;
    }
    for (int64_t i = 0; i < kBlock; i += kLanes)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(rounded + i), rounded_values(from + i));
  }
}

#pragma GCC push_options
#pragma GCC target("avx512bf16")
template <int kTokens>
void bf16_pairs_tokens(const PanelJob& job, int64_t first) {
  constexpr int64_t chains = 2;  // of any number of tokens: one's sum does not follow the others
  const auto* pairs = static_cast<const uint8_t*>(job.weights);
  const uint16_t* x = job.rounded + place_of(first, job.blocks) * kBlock;
  __m512 sums[kTokens][chains];
#pragma GCC unroll 8
  for (int64_t t = 0; t < kTokens; ++t)
#pragma GCC unroll 4
    for (int64_t c = 0; c < chains; ++c) sums[t][c] = _mm512_setzero_ps();
  for (int64_t b = 0; b < job.blocks; ++b, x += kTokenGroup * kBlock, pairs += kBlock * 2 * 16) {
#pragma GCC unroll 16
    for (int64_t g = 0; g < kBlock / 2; ++g) {
      const auto weights = reinterpret_cast<__m512bh>(_mm512_load_si512(pairs + g * 64));
#pragma GCC unroll 8
      for (int64_t t = 0; t < kTokens; ++t) {
        int32_t pair;
        __builtin_memcpy(&pair, x + t * kBlock + g * 2, sizeof(pair));
        sums[t][g % chains] = _mm512_dpbf16_ps(sums[t][g % chains], weights,
                                               reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair)));
      }
    }
  }
#pragma GCC unroll 8
  for (int64_t t = 0; t < kTokens; ++t) {
    __m512 total = sums[t][0];
#pragma GCC unroll 4
    for (int64_t c = 1; c < chains; ++c) total = _mm512_add_ps(total, sums[t][c]);
    const Vector vector = reinterpret_cast<const Vector&>(total);
    put(job, job.out + (first + t) * job.out_row, &vector);
  }
}

void bf16_pairs_panel(const PanelJob& job) { HELIO_EACH_TOKEN_BLOCK(bf16_pairs_tokens, job); }
#pragma GCC pop_options

}  // namespace

const ProductKernels& avx512_product_kernels() {
  static constexpr ProductKernels table = {"avx512",   quantise_row, int8_panel,
                                           int4_panel, bf16_panel,   f32_rows};
  return table;
}

const ProductKernels& avx512_bf16_product_kernels() {
  static constexpr ProductKernels table = {"avx512_bf16", quantise_row,    int8_panel,
                                           int4_panel,    bf16_panel,      f32_rows,
                                           round_row,     bf16_pairs_panel};
  return table;
}

}  // namespace helio::nn
#else
namespace helio::nn {
const ProductKernels& avx512_product_kernels() { return plain_product_kernels(); }
const ProductKernels& avx512_bf16_product_kernels() { return plain_product_kernels(); }
}  // namespace helio::nn
#endif
