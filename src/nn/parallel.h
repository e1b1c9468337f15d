// Work shared out over LibTorch's own threads: a second pool beside it would fight for the cores.
#pragma once

#include <cstdint>
#include <functional>

namespace helio::nn {

// Runs body(unit) for each unit in [0, units), on as many threads as LibTorch uses, units handed
// out as threads become free. `body` must not throw, and a unit's result must not depend on which
// thread runs it.
void parallel_units(int64_t units, const std::function<void(int64_t unit)>& body);

// Runs body(first, last) over [0, rows) in blocks of `block` rows: the same blocks for any number
// of threads, so that sums over a block are the same too.
void parallel_rows(int64_t rows, int64_t block,
                   const std::function<void(int64_t first, int64_t last)>& body);

}  // namespace helio::nn
