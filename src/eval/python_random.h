// CPython's random.Random, so that few-shot examples are the ones lm-evaluation-harness draws.
// MT19937 (Matsumoto and Nishimura 1998) seeded and read as CPython 3.x does; the numbers are part
// of our formats and are checked against recorded draws.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace helio::eval {

class PythonRandom {
 public:
  explicit PythonRandom(int64_t seed);  // random.Random(seed); the sign of the seed does not matter

  uint32_t bits();             // getrandbits(32)
  uint32_t below(uint32_t n);  // _randbelow(n), n > 0
  // random.sample(range(pool), count): distinct indices in the order drawn. count <= pool.
  std::vector<uint32_t> sample(uint32_t pool, uint32_t count);

  template <class T>
  void shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i-- > 1;)
      std::swap(items[i], items[below(static_cast<uint32_t>(i + 1))]);
  }

 private:
  void twist();
  std::array<uint32_t, 624> state_ = {};
  size_t next_ = 624;
};

}  // namespace helio::eval
