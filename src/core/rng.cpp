#include "core/rng.h"

#include "core/hash.h"

namespace helio {

Rng Rng::stream(uint64_t seed, std::string_view purpose, uint64_t index) {
  const uint64_t name = xxh64(purpose, seed);
  Rng mixed(name ^ (index * 0x9e3779b97f4a7c15ull));
  return Rng(mixed.next());
}

uint64_t Rng::next() {
  uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

uint64_t Rng::below(uint64_t n) {
  // Rejects the short tail of the range so that every value is equally likely.
  const uint64_t limit = UINT64_MAX - UINT64_MAX % n;
  uint64_t value = next();
  while (value >= limit) value = next();
  return value % n;
}

double Rng::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

}  // namespace helio
