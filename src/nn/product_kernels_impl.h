// What the product kernels of both instruction sets share (see product_kernels_avx512.cpp);
// internal linkage throughout, as in kernels_impl.h.
//
// NOLINTBEGIN(llvm-header-guard): included once a file, on purpose without a guard

#ifndef HELIO_LANES
#error "product_kernels_impl.h is included by product_kernels_avx512.cpp and _avx2.cpp only"
#endif

namespace helio::nn {
namespace {

constexpr int64_t kLanes = HELIO_LANES;
typedef float Vector __attribute__((vector_size(4 * HELIO_LANES)));
typedef float Loose __attribute__((vector_size(4 * HELIO_LANES), aligned(4), may_alias));
typedef int32_t Ints __attribute__((vector_size(4 * HELIO_LANES)));
typedef uint32_t LooseWords __attribute__((vector_size(4 * HELIO_LANES), aligned(4), may_alias));
typedef int8_t LooseBytes __attribute__((vector_size(HELIO_LANES), aligned(1), may_alias));

inline Vector load(const float* p) { return *reinterpret_cast<const Loose*>(p); }
inline void store(float* p, Vector v) { *reinterpret_cast<Loose*>(p) = v; }
inline float sum_lanes(Vector v) {
  float lanes[kLanes];
  __builtin_memcpy(lanes, &v, sizeof(v));
  for (int64_t width = kLanes / 2; width > 0; width /= 2)
    for (int64_t i = 0; i < width; ++i) lanes[i] += lanes[i + width];
  return lanes[0];
}

// One whole block. Rounds to nearest, ties to even (by adding 1.5 * 2^23).
inline void quantise_block(const float* x, int32_t zero, int8_t* codes, float* scale,
                           int32_t* offset) {
  Vector largest = {};
  for (int64_t i = 0; i < kBlock; i += kLanes) {
    const Vector v = load(x + i), magnitude = v < 0 ? -v : v;
    largest = magnitude > largest ? magnitude : largest;
  }
  float most = 0;
  for (int64_t i = 0; i < kLanes; ++i) most = largest[i] > most ? largest[i] : most;
  *scale = most / 127;
  const float inverse = most > 0 ? 127 / most : 0;
  Ints sum = {};
  for (int64_t i = 0; i < kBlock; i += kLanes) {
    const Vector shifted = load(x + i) * inverse + 12582912.0F;
    Ints bits;
    __builtin_memcpy(&bits, &shifted, sizeof(bits));
    bits -= 0x4b400000;
    sum += bits;
    *reinterpret_cast<LooseBytes*>(codes + i) = __builtin_convertvector(bits, LooseBytes);
  }
  int32_t total = 0;
  for (int64_t i = 0; i < kLanes; ++i) total += sum[i];
  *offset = -zero * total;
}

void quantise_row(const float* x, int64_t width, int32_t zero, int8_t* codes, float* scales,
                  int32_t* offsets) {
  const int64_t whole = width / kBlock, rest = width % kBlock;
  for (int64_t b = 0; b < whole; ++b)
    quantise_block(x + b * kBlock, zero, codes + b * kTokenGroup * kBlock, scales + b * kTokenGroup,
                   offsets + b * kTokenGroup);
  if (rest == 0) return;
  float end[kBlock] = {};
  for (int64_t i = 0; i < rest; ++i) end[i] = x[whole * kBlock + i];
  quantise_block(end, zero, codes + whole * kTokenGroup * kBlock, scales + whole * kTokenGroup,
                 offsets + whole * kTokenGroup);
}

// Where a token's first block is, in blocks.
inline int64_t place_of(int64_t token, int64_t blocks) {
  return token / kTokenGroup * blocks * kTokenGroup + token % kTokenGroup;
}

inline void put(const PanelJob& job, float* out, const Vector* sums) {
  if (job.columns == kPanelRows) {
    for (int64_t v = 0; v < kPanelRows / kLanes; ++v) {
      float* const place = out + v * kLanes;
      store(place, job.output == Output::add ? load(place) + sums[v] : sums[v]);
    }
    return;
  }
  float values[kPanelRows];
  for (int64_t v = 0; v < kPanelRows / kLanes; ++v) store(values + v * kLanes, sums[v]);
  for (int64_t i = 0; i < job.columns; ++i)
    out[i] = job.output == Output::add ? out[i] + values[i] : values[i];
}

// Calls kernel<8>, <4>, <2>, <1> for all tokens of the job.
#define HELIO_EACH_TOKEN_BLOCK(kernel, job)                                \
  do {                                                                     \
    int64_t token = 0;                                                     \
    for (; token + 8 <= (job).tokens; token += 8) kernel<8>((job), token); \
    if (token + 4 <= (job).tokens) {                                       \
      kernel<4>((job), token);                                             \
      token += 4;                                                          \
    }                                                                      \
    if (token + 2 <= (job).tokens) {                                       \
      kernel<2>((job), token);                                             \
      token += 2;                                                          \
    }                                                                      \
    if (token < (job).tokens) kernel<1>((job), token);                     \
  } while (false)

inline Vector as_floats(LooseWords bits) {
  Vector v;
  __builtin_memcpy(&v, &bits, sizeof(v));
  return v;
}

template <int kTokens>
void bf16_tokens(const PanelJob& job, int64_t first) {
  constexpr int64_t vectors = kPanelRows / kLanes;
  constexpr int chains = kTokens >= 4 ? 1 : 2;  // of sums, so that additions need not wait
  const auto* pairs = static_cast<const uint32_t*>(job.weights);
  const float* x = job.x + place_of(first, job.blocks) * kBlock;
  Vector sums[kTokens][vectors][chains] = {};
  for (int64_t b = 0; b < job.blocks; ++b, x += kTokenGroup * kBlock) {
    for (int64_t k = 0; k < kBlock; k += 2, pairs += kPanelRows) {
#pragma GCC unroll 2
      for (int64_t v = 0; v < vectors; ++v) {
        const LooseWords both = *reinterpret_cast<const LooseWords*>(pairs + v * kLanes);
        const Vector even = as_floats(both << 16), odd = as_floats(both & 0xffff0000U);
#pragma GCC unroll 8
        for (int64_t t = 0; t < kTokens; ++t) {
          sums[t][v][0] += even * x[t * kBlock + k];
          sums[t][v][chains - 1] += odd * x[t * kBlock + k + 1];
        }
      }
    }
  }
  for (int64_t t = 0; t < kTokens; ++t) {
    Vector total[vectors];
    for (int64_t v = 0; v < vectors; ++v)
      total[v] = chains == 1 ? sums[t][v][0] : sums[t][v][0] + sums[t][v][chains - 1];
    put(job, job.out + (first + t) * job.out_row, total);
  }
}

void bf16_panel(const PanelJob& job) { HELIO_EACH_TOKEN_BLOCK(bf16_tokens, job); }

// kRows rows of the matrix with kTokens of x: products along the rows, lanes summed at the end.
template <int kRows, int kTokens>
inline void f32_tile(const PanelJob& job, const float* w, const float* x, float* out) {
  const int64_t whole = job.width - job.width % kLanes;
  Vector sums[kRows][kTokens] = {};
  for (int64_t k = 0; k < whole; k += kLanes) {
    Vector columns[kTokens];
#pragma GCC unroll 4
    for (int64_t t = 0; t < kTokens; ++t) columns[t] = load(x + t * job.x_row + k);
#pragma GCC unroll 4
    for (int64_t r = 0; r < kRows; ++r) {
      const Vector weight = load(w + r * job.width + k);
#pragma GCC unroll 4
      for (int64_t t = 0; t < kTokens; ++t) sums[r][t] += weight * columns[t];
    }
  }
  for (int64_t r = 0; r < kRows; ++r)
    for (int64_t t = 0; t < kTokens; ++t) {
      float sum = sum_lanes(sums[r][t]);
      for (int64_t k = whole; k < job.width; ++k)
        sum += w[r * job.width + k] * x[t * job.x_row + k];
      float& place = out[t * job.out_row + r];
      place = job.output == Output::add ? place + sum : sum;
    }
}

// One token: row after row, so that memory is read in one stream, with several sums a row.
void f32_token(const PanelJob& job, int64_t token) {
  constexpr int64_t step = 4 * kLanes;
  const auto* w = static_cast<const float*>(job.weights);
  const float* x = job.x + token * job.x_row;
  for (int64_t row = 0; row < job.columns; ++row, w += job.width) {
    Vector sums[4] = {};
    int64_t k = 0;
    for (; k + step <= job.width; k += step) {
#pragma GCC unroll 4
      for (int64_t i = 0; i < 4; ++i)
        sums[i] += load(w + k + i * kLanes) * load(x + k + i * kLanes);
    }
    for (; k + kLanes <= job.width; k += kLanes) sums[0] += load(w + k) * load(x + k);
    float sum = sum_lanes((sums[0] + sums[1]) + (sums[2] + sums[3]));
    for (; k < job.width; ++k) sum += w[k] * x[k];
    float& place = job.out[token * job.out_row + row];
    place = job.output == Output::add ? place + sum : sum;
  }
}

template <int kTokens>
void f32_tokens(const PanelJob& job, int64_t first) {
  const auto* w = static_cast<const float*>(job.weights);
  const float* x = job.x + first * job.x_row;
  float* out = job.out + first * job.out_row;
  int64_t row = 0;
  for (; row + 4 <= job.columns; row += 4)
    f32_tile<4, kTokens>(job, w + row * job.width, x, out + row);
  for (; row < job.columns; ++row) f32_tile<1, kTokens>(job, w + row * job.width, x, out + row);
}

void f32_rows(const PanelJob& job) {
  int64_t token = 0;
  for (; token + 4 <= job.tokens; token += 4) f32_tokens<4>(job, token);
  for (; token < job.tokens; ++token) f32_token(job, token);
}

}  // namespace
}  // namespace helio::nn
// NOLINTEND(llvm-header-guard)
