#include "text/tokenizer/big_pages.h"

#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define HELIO_PLAIN_PAGES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HELIO_PLAIN_PAGES 1
#endif
#endif
#if !defined(__linux__)
#define HELIO_PLAIN_PAGES 1
#endif

#ifndef HELIO_PLAIN_PAGES
#include <sys/mman.h>

#include <cstdint>
#endif

namespace helio::text {

#ifdef HELIO_PLAIN_PAGES  // a sanitizer watches over what operator new gives

void* allocate_big_pages(size_t bytes) { return ::operator new(bytes); }
void free_big_pages(void* memory, size_t) { ::operator delete(memory); }

#else

namespace {

constexpr size_t kPage = size_t(2) << 20;

size_t rounded(size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

}  // namespace

void* allocate_big_pages(size_t bytes) {
  const size_t size = rounded(bytes), room = size + kPage;
  void* const memory = mmap(nullptr, room, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  const auto begin = reinterpret_cast<uintptr_t>(memory);
  const uintptr_t aligned = (begin + kPage - 1) / kPage * kPage;
  if (aligned > begin) munmap(memory, aligned - begin);
  const uintptr_t end = aligned + size;
  if (begin + room > end) munmap(reinterpret_cast<void*>(end), begin + room - end);
  void* const pages = reinterpret_cast<void*>(aligned);
  madvise(pages, size, MADV_HUGEPAGE);  // a wish: without it the pages are small ones
  return pages;
}
void free_big_pages(void* memory, size_t bytes) { munmap(memory, rounded(bytes)); }

#endif

}  // namespace helio::text
