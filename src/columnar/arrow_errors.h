// Arrow's statuses as helio's errors.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <string>
#include <utility>

#include "core/error.h"

namespace helio::columnar {

inline void check(const arrow::Status& status, const std::string& what) {
  if (status.ok()) return;
  std::string message = status.message();
  if (const size_t line = message.find('\n'); line != std::string::npos) message.resize(line);
  ErrorKind kind = ErrorKind::invalid;
  if (status.IsIOError()) kind = ErrorKind::failed;
  if (status.IsOutOfMemory()) kind = ErrorKind::memory;
  throw Error(kind, what + ": " + message);
}

template <class T>
T value(arrow::Result<T> result, const std::string& what) {
  check(result.status(), what);
  return std::move(result).ValueUnsafe();
}

}  // namespace helio::columnar
