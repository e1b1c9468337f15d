// Memory of one render: everything a template makes lives until the render ends, then goes at once.
// Values are plain pointers into it, so that reading a variable costs a copy of 16 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace helio::text::jinja {

// What a template does wrong; the renderer turns it into a helio::Error with its place.
struct Failure {
  std::string message = {};
  std::vector<std::string> chain = {};  // "in macro 'x', called at line 3"
  bool refused = false;                 // a limit: never swallowed by a filter's default
};
[[noreturn]] void fail(std::string message);
[[noreturn]] void fail_limit(std::string message);

class Arena {
 public:
  explicit Arena(size_t limit) : limit_(limit) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  void* allocate(size_t size) {
    size = (size + 15) & ~size_t(15);
    if (size > left_) grow(size);
    void* at = top_;
    top_ += size;
    left_ -= size;
    return at;
  }
  template <class T>
  T* array(size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (count > limit_ / sizeof(T)) refuse();
    T* items = static_cast<T*>(allocate(count * sizeof(T)));
    for (size_t i = 0; i < count; ++i) new (items + i) T();
    return items;
  }
  char* bytes(size_t count) {
    if (count > limit_) refuse();
    return static_cast<char*>(allocate(count));
  }
  template <class T, class... Args>
  T* make(Args&&... args) {
    static_assert(std::is_trivially_destructible_v<T>);
    return new (allocate(sizeof(T))) T{std::forward<Args>(args)...};
  }
  // Refuses what would pass the limit before it is built.
  void check(size_t more) const {
    if (more > limit_ || used_ + more > limit_) refuse();
  }
  size_t limit() const { return limit_; }

 private:
  void grow(size_t size);
  [[noreturn]] static void refuse();

  std::vector<std::unique_ptr<char[]>> chunks_ = {};
  char* top_ = nullptr;
  size_t left_ = 0, used_ = 0, limit_;
};

}  // namespace helio::text::jinja
