// The inner loop of MinHash: minima over many shingle hashes h of ((h * a + b) mod 2^64) mod
// (2^61-1) for many pairs (a, b), by the widest instructions the processor has. All give the same
// numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace helio::data {

inline constexpr uint64_t kMinHashPrime = (uint64_t(1) << 61) - 1;

enum class MinHashKernel { scalar, avx2, avx512 };
// Those this processor can run, the fastest last.
std::vector<MinHashKernel> minhash_kernels();
MinHashKernel best_minhash_kernel();
const char* name_of(MinHashKernel kernel);

// Pairs (a, b) and minima stand in arrays whose length is a multiple of this.
inline constexpr size_t kMinHashLanes = 8;

// minima[i] = min(minima[i], value of every hash under pair i, & mask): a mask of 2^32-1 is
// datatrove's 32-bit mode.
void minhash_minima(MinHashKernel kernel, const uint64_t* hashes, size_t count, const uint64_t* a,
                    const uint64_t* b, uint64_t* minima, size_t slots, uint64_t mask);

}  // namespace helio::data
