#include "nn/parallel.h"

#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <atomic>

namespace helio::nn {

// at::parallel_for is a template that needs OpenMP where it is compiled, and would then run on the
// compiler's OpenMP library rather than on the one LibTorch carries. A TensorIterator's loop runs
// inside LibTorch: one element for each thread.
void parallel_units(int64_t units, const std::function<void(int64_t)>& body) {
  const int64_t threads = std::min<int64_t>(units, at::get_num_threads());
  std::atomic<int64_t> next = 0;
  const auto work = [&] {
    for (int64_t unit; (unit = next.fetch_add(1, std::memory_order_relaxed)) < units;) body(unit);
  };
  if (threads <= 1) return work();
  const at::Tensor places = at::empty({threads}, at::TensorOptions(at::kByte));
  at::TensorIterator loop = at::TensorIteratorConfig()
                                .check_all_same_dtype(false)
                                .resize_outputs(false)
                                .declare_static_shape({threads})
                                .add_output(places)
                                .build();
  loop.for_each([&](char**, const int64_t*, int64_t, int64_t) { work(); }, /*grain_size=*/1);
}

void parallel_rows(int64_t rows, int64_t block, const std::function<void(int64_t, int64_t)>& body) {
  parallel_units((rows + block - 1) / block,
                 [&](int64_t unit) { body(unit * block, std::min(rows, (unit + 1) * block)); });
}

}  // namespace helio::nn
