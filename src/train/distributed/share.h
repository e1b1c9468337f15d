// Which rows of an optimiser step are a process's own. Torch-free.
#pragma once

#include <cstdint>
#include <vector>

#include "train/batches.h"

namespace helio::train::distributed {

// The rank's rows of a step that is cut among `size` processes: the longest row goes to the one
// that has least to read so far (the lowest rank of equals), so that all read about as much. Rows
// keep their order and come in micro-batches of at most as many as the step's own have; every row
// is somebody's exactly once. A rank may have none.
std::vector<MicroBatch> share_of(const std::vector<MicroBatch>& step, int64_t rank, int64_t size);

// The same with whole micro-batches. A step's only one is divided all the same, and says so.
std::vector<MicroBatch> whole_share_of(const std::vector<MicroBatch>& step, int64_t rank,
                                       int64_t size);
// The most micro-batches that share_of() gives to any of them.
size_t most_passes(const std::vector<MicroBatch>& step, int64_t size);

// The owner of each of `sizes`: by falling size to the rank with the least so far.
std::vector<int64_t> spread(const std::vector<int64_t>& sizes, int64_t ranks);

}  // namespace helio::train::distributed
