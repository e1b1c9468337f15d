#include "data/dedup/minhash_kernels.h"

#include <algorithm>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace helio::data {
namespace {

constexpr uint64_t kPrime = kMinHashPrime;

void scalar_minima(const uint64_t* hashes, size_t count, const uint64_t* a, const uint64_t* b,
                   uint64_t* minima, size_t slots, uint64_t mask) {
  for (size_t at = 0; at < count; ++at)
    for (size_t i = 0; i < slots; ++i) {
      const uint64_t wrapped = hashes[at] * a[i] + b[i];
      // 2^61 is 1 modulo the prime, so the upper bits are added; the sum is below the prime + 8.
      uint64_t value = (wrapped & kPrime) + (wrapped >> 61);
      value -= value >= kPrime ? kPrime : 0;
      minima[i] = std::min(minima[i], value & mask);
    }
}

#if defined(__x86_64__)

// GCC 12 takes the undefined halves of some intrinsics for uninitialised variables.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"

// Eight slots at a time, `Vectors` of them in registers while all hashes pass by.
template <int Vectors>
__attribute__((target("avx512f,avx512dq"))) void avx512_group(const uint64_t* hashes, size_t count,
                                                              const uint64_t* a, const uint64_t* b,
                                                              uint64_t* minima, uint64_t mask) {
  const __m512i prime = _mm512_set1_epi64(static_cast<int64_t>(kPrime));
  const __m512i masks = _mm512_set1_epi64(static_cast<int64_t>(mask));
  __m512i va[Vectors], vb[Vectors], least[Vectors];
  for (int v = 0; v < Vectors; ++v) {
    va[v] = _mm512_loadu_si512(a + 8 * v);
    vb[v] = _mm512_loadu_si512(b + 8 * v);
    least[v] = _mm512_loadu_si512(minima + 8 * v);
  }
  const auto value = [&](__m512i hash, int v) __attribute__((target("avx512f,avx512dq"))) {
    const __m512i wrapped = _mm512_add_epi64(_mm512_mullo_epi64(hash, va[v]), vb[v]);
    const __m512i sum =
        _mm512_add_epi64(_mm512_and_si512(wrapped, prime), _mm512_srli_epi64(wrapped, 61));
    // Below the prime the difference wraps to a large number, so the smaller of both is right.
    return _mm512_min_epu64(sum, _mm512_sub_epi64(sum, prime));
  };
  if (mask == ~uint64_t(0)) {
    for (size_t at = 0; at < count; ++at) {
      const __m512i hash = _mm512_set1_epi64(static_cast<int64_t>(hashes[at]));
      for (int v = 0; v < Vectors; ++v) least[v] = _mm512_min_epu64(least[v], value(hash, v));
    }
  } else {
    for (size_t at = 0; at < count; ++at) {
      const __m512i hash = _mm512_set1_epi64(static_cast<int64_t>(hashes[at]));
      for (int v = 0; v < Vectors; ++v)
        least[v] = _mm512_min_epu64(least[v], _mm512_and_si512(value(hash, v), masks));
    }
  }
  for (int v = 0; v < Vectors; ++v) _mm512_storeu_si512(minima + 8 * v, least[v]);
}

void avx512_minima(const uint64_t* hashes, size_t count, const uint64_t* a, const uint64_t* b,
                   uint64_t* minima, size_t slots, uint64_t mask) {
  size_t i = 0;
  for (; i + 56 <= slots; i += 56) avx512_group<7>(hashes, count, a + i, b + i, minima + i, mask);
  for (; i + 16 <= slots; i += 16) avx512_group<2>(hashes, count, a + i, b + i, minima + i, mask);
  for (; i < slots; i += 8) avx512_group<1>(hashes, count, a + i, b + i, minima + i, mask);
}

// Four slots a vector. AVX2 has no 64-bit product, so it is put together from 32-bit halves, and no
// unsigned comparison, which is not needed: the values compared are below 2^63.
template <int Vectors>
__attribute__((target("avx2"))) void avx2_group(const uint64_t* hashes, size_t count,
                                                const uint64_t* a, const uint64_t* b,
                                                uint64_t* minima, uint64_t mask) {
  const __m256i prime = _mm256_set1_epi64x(static_cast<int64_t>(kPrime));
  const __m256i below = _mm256_set1_epi64x(static_cast<int64_t>(kPrime - 1));
  const __m256i masks = _mm256_set1_epi64x(static_cast<int64_t>(mask));
  __m256i va[Vectors], vb[Vectors], least[Vectors];
  for (int v = 0; v < Vectors; ++v) {
    va[v] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + 4 * v));
    vb[v] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + 4 * v));
    least[v] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(minima + 4 * v));
    // "Nothing yet" is all ones, which a signed comparison takes for -1.
    least[v] =
        _mm256_blendv_epi8(least[v], prime, _mm256_cmpgt_epi64(_mm256_setzero_si256(), least[v]));
  }
  for (size_t at = 0; at < count; ++at) {
    const __m256i low = _mm256_set1_epi64x(static_cast<int64_t>(hashes[at]));
    const __m256i high = _mm256_srli_epi64(low, 32);
    for (int v = 0; v < Vectors; ++v) {
      const __m256i cross = _mm256_add_epi64(_mm256_mul_epu32(high, va[v]),
                                             _mm256_mul_epu32(low, _mm256_srli_epi64(va[v], 32)));
      const __m256i wrapped = _mm256_add_epi64(
          _mm256_add_epi64(_mm256_mul_epu32(low, va[v]), vb[v]), _mm256_slli_epi64(cross, 32));
      const __m256i sum =
          _mm256_add_epi64(_mm256_and_si256(wrapped, prime), _mm256_srli_epi64(wrapped, 61));
      const __m256i value = _mm256_and_si256(
          _mm256_sub_epi64(sum, _mm256_and_si256(_mm256_cmpgt_epi64(sum, below), prime)), masks);
      least[v] = _mm256_blendv_epi8(least[v], value, _mm256_cmpgt_epi64(least[v], value));
    }
  }
  for (int v = 0; v < Vectors; ++v)
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(minima + 4 * v), least[v]);
}

void avx2_minima(const uint64_t* hashes, size_t count, const uint64_t* a, const uint64_t* b,
                 uint64_t* minima, size_t slots, uint64_t mask) {
  for (size_t i = 0; i < slots; i += 8)
    avx2_group<2>(hashes, count, a + i, b + i, minima + i, mask);
}

#pragma GCC diagnostic pop
#endif

}  // namespace

std::vector<MinHashKernel> minhash_kernels() {
  std::vector<MinHashKernel> kernels = {MinHashKernel::scalar};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) kernels.push_back(MinHashKernel::avx2);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"))
    kernels.push_back(MinHashKernel::avx512);
#endif
  return kernels;
}

MinHashKernel best_minhash_kernel() {
  static const MinHashKernel best = minhash_kernels().back();
  return best;
}

const char* name_of(MinHashKernel kernel) {
  switch (kernel) {
    case MinHashKernel::scalar:
      return "scalar";
    case MinHashKernel::avx2:
      return "avx2";
    case MinHashKernel::avx512:
      return "avx512";
  }
  return "";
}

void minhash_minima(MinHashKernel kernel, const uint64_t* hashes, size_t count, const uint64_t* a,
                    const uint64_t* b, uint64_t* minima, size_t slots, uint64_t mask) {
  if (count == 0) return;
#if defined(__x86_64__)
  if (kernel == MinHashKernel::avx512)
    return avx512_minima(hashes, count, a, b, minima, slots, mask);
  if (kernel == MinHashKernel::avx2) return avx2_minima(hashes, count, a, b, minima, slots, mask);
#endif
  scalar_minima(hashes, count, a, b, minima, slots, mask);
}

}  // namespace helio::data
