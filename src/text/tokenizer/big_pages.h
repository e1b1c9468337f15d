// Vectors whose memory comes in huge pages once it is large: one page fault for 2 MB instead of
// 512, and tables that are read at random find their addresses more often.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace helio::text {

// Memory for `bytes`, at least kLeastBigPages of them, in multiples of 2 MB. Throws std::bad_alloc.
void* allocate_big_pages(size_t bytes);
void free_big_pages(void* memory, size_t bytes);
inline constexpr size_t kLeastBigPages = size_t(1) << 20;

template <class T>
struct BigPages {
  using value_type = T;
  BigPages() = default;
  template <class U>
  BigPages(const BigPages<U>&) {}

  T* allocate(size_t count) {
    if (is_big(count)) return static_cast<T*>(allocate_big_pages(count * sizeof(T)));
    return std::allocator<T>().allocate(count);
  }
  void deallocate(T* memory, size_t count) {
    if (is_big(count)) free_big_pages(memory, count * sizeof(T));
    else std::allocator<T>().deallocate(memory, count);
  }
  bool operator==(const BigPages&) const { return true; }

 private:
  static bool is_big(size_t count) {
    return count >= kLeastBigPages / sizeof(T) && count <= ~size_t(0) / 2 / sizeof(T);
  }
};

template <class T>
using BigVector = std::vector<T, BigPages<T>>;

}  // namespace helio::text
