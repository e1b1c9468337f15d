#include "eval/python_random.h"

#include <bit>
#include <cmath>
#include <numeric>
#include <unordered_set>

#include "core/error.h"

namespace helio::eval {
namespace {
constexpr size_t kWords = 624, kMiddle = 397;
}

PythonRandom::PythonRandom(int64_t seed) {
  // The key is the seed's magnitude in 32-bit words, lowest first; [0] for zero.
  const uint64_t magnitude =
      seed < 0 ? 0 - static_cast<uint64_t>(seed) : static_cast<uint64_t>(seed);
  std::vector<uint32_t> key = {static_cast<uint32_t>(magnitude)};
  if (magnitude >> 32) key.push_back(static_cast<uint32_t>(magnitude >> 32));

  state_[0] = 19650218u;
  for (uint32_t i = 1; i < kWords; ++i)
    state_[i] = 1812433253u * (state_[i - 1] ^ (state_[i - 1] >> 30)) + i;
  size_t i = 1, j = 0;
  const auto step_on = [&] {
    if (++i == kWords) {
      state_[0] = state_[kWords - 1];
      i = 1;
    }
  };
  for (size_t k = 0; k < kWords; ++k) {
    state_[i] = (state_[i] ^ ((state_[i - 1] ^ (state_[i - 1] >> 30)) * 1664525u)) + key[j] +
                static_cast<uint32_t>(j);
    step_on();
    if (++j == key.size()) j = 0;
  }
  for (size_t k = 0; k + 1 < kWords; ++k) {
    state_[i] = (state_[i] ^ ((state_[i - 1] ^ (state_[i - 1] >> 30)) * 1566083941u)) -
                static_cast<uint32_t>(i);
    step_on();
  }
  state_[0] = 0x80000000u;
}

void PythonRandom::twist() {
  for (size_t i = 0; i < kWords; ++i) {
    const uint32_t y = (state_[i] & 0x80000000u) | (state_[(i + 1) % kWords] & 0x7fffffffu);
    state_[i] = state_[(i + kMiddle) % kWords] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0u);
  }
  next_ = 0;
}

uint32_t PythonRandom::bits() {
  if (next_ == kWords) twist();
  uint32_t y = state_[next_++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

uint32_t PythonRandom::below(uint32_t n) {
  HELIO_CHECK(n > 0, "a draw from nothing");
  const int width = std::bit_width(n);
  uint32_t value = bits() >> (32 - width);
  while (value >= n) value = bits() >> (32 - width);
  return value;
}

std::vector<uint32_t> PythonRandom::sample(uint32_t pool, uint32_t count) {
  HELIO_CHECK(count <= pool, "a sample larger than its pool");
  std::vector<uint32_t> drawn;
  drawn.reserve(count);
  // CPython keeps a list of what is left while that is smaller than a set of what is taken; the
  // two methods use the generator differently.
  double set_size = 21;
  if (count > 5) set_size += std::pow(4, std::ceil(std::log(count * 3.0) / std::log(4.0)));
  if (pool <= set_size) {
    std::vector<uint32_t> left(pool);
    std::iota(left.begin(), left.end(), 0u);
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t j = below(pool - i);
      drawn.push_back(left[j]);
      left[j] = left[pool - i - 1];
    }
    return drawn;
  }
  std::unordered_set<uint32_t> taken;
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t j = below(pool);
    while (!taken.insert(j).second) j = below(pool);
    drawn.push_back(j);
  }
  return drawn;
}

}  // namespace helio::eval
