#include "nn/runtime.h"

#include <ATen/Parallel.h>
#include <malloc.h>
#include <sched.h>

#include <algorithm>
#include <limits>

namespace helio::nn {
int64_t available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

void prepare_runtime(int64_t threads) {
  // Large blocks come from the heap, not from mmap, and the heap is never trimmed.
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TOP_PAD, 64 << 20);
  at::set_num_threads(static_cast<int>(threads > 0 ? threads : available_cores()));
}

int64_t threads_in_use() { return at::get_num_threads(); }

}  // namespace helio::nn
