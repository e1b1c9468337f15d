// How LibTorch uses this machine. Call once, before the first tensor.
#pragma once

#include <cstdint>

namespace helio::nn {

// Threads for tensor work; 0: as many as this process may use. One pool for everything: nothing
// here or in LibTorch starts a second one. Also keeps freed memory for the next tensor instead of
// giving it back to the system: a product into fresh pages takes up to half as long again as one
// into old ones.
void prepare_runtime(int64_t threads);
int64_t threads_in_use();
// Cores that this process may run on; at least 1.
int64_t available_cores();

}  // namespace helio::nn
