// The same work on many items, on a few threads. Results go where the item's index says, so the
// number of threads cannot show in them.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace helio {

// Threads that this machine runs at once; at least 1.
inline int hardware_threads() {
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

// Calls work(begin, end, worker) for slices that cover [0, count); worker is in [0, threads).
// Never more threads than slices. An exception ends the work and is thrown here: of several, the
// one of the earliest slice.
template <class Work>
void parallel_slices(size_t count, int threads, size_t slice, Work&& work) {
  threads = static_cast<int>(
      std::min(static_cast<size_t>(std::max(1, threads)), (count + slice - 1) / slice));
  if (threads <= 1) {
    for (size_t begin = 0; begin < count; begin += slice)
      work(begin, std::min(begin + slice, count), 0);
    return;
  }
  std::atomic<size_t> next = 0;
  std::mutex guard;
  std::exception_ptr error;
  size_t error_at = count;
  const auto run = [&](int worker) {
    for (;;) {
      const size_t begin = next.fetch_add(slice);
      if (begin >= count) return;
      try {
        work(begin, std::min(begin + slice, count), worker);
      } catch (...) {
        const std::lock_guard lock(guard);
        if (begin < error_at) error = std::current_exception(), error_at = begin;
        next = count;
        return;
      }
    }
  };
  std::vector<std::thread> workers;
  for (int i = 1; i < threads; ++i) workers.emplace_back(run, i);
  run(0);
  for (auto& worker : workers) worker.join();
  if (error) std::rethrow_exception(error);
}

}  // namespace helio
