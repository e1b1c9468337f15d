// Plain values as the bytes that processes of one run exchange (all run the same program).
#pragma once

#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "core/error.h"

namespace helio::train::distributed {

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  static_assert(std::is_trivially_copyable_v<T>);
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

template <class T>
std::vector<T> values_of(const std::string& bytes) {
  static_assert(std::is_trivially_copyable_v<T>);
  HELIO_CHECK(bytes.size() % sizeof(T) == 0, "whole values of another process");
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

}  // namespace helio::train::distributed
