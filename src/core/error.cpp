#include "core/error.h"

#include <cerrno>
#include <cstring>

namespace helio {

Error::Error(ErrorKind kind, std::string message, std::source_location where)
    : kind_(kind), message_(std::move(message)), where_(where) {
  render();
}

Error& Error::add_context(std::string line) {
  if (line.starts_with("while ")) line.erase(0, 6);  // render() says it
  context_.push_back(std::move(line));
  render();
  return *this;
}

Error& Error::with_hint(std::string hint) {
  hint_ = std::move(hint);
  render();
  return *this;
}

void Error::render() {
  rendered_ = message_;
  for (const auto& line : context_) rendered_ += "\n  while " + line;
  if (!hint_.empty()) rendered_ += "\n  hint: " + hint_;
  if (kind_ == ErrorKind::internal)
    rendered_ += std::string("\n  at ") + where_.file_name() + ":" + std::to_string(where_.line());
}

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::failed:
      return 1;
    case ErrorKind::usage:
      return 2;
    case ErrorKind::invalid:
      return 3;
    case ErrorKind::not_found:
      return 4;
    case ErrorKind::check:
      return 5;
    case ErrorKind::memory:
      return 6;
    case ErrorKind::interrupted:
      return 75;
    case ErrorKind::internal:
      return 1;
  }
  return 1;
}

Error system_error(std::string what, int errno_value, std::source_location where) {
  const auto kind = errno_value == ENOENT   ? ErrorKind::not_found
                    : errno_value == ENOMEM ? ErrorKind::memory
                                            : ErrorKind::failed;
  Error error(kind, std::move(what) + ": " + std::strerror(errno_value), where);
  if (errno_value == ENOSPC)
    error.with_hint("free some space, or point --out at another disk; nothing half-written stays");
  if (errno_value == EFBIG || errno_value == EDQUOT)
    error.with_hint("a file size limit or quota was reached: raise it, or point --out elsewhere");
  if (errno_value == EACCES || errno_value == EPERM || errno_value == EROFS)
    error.with_hint("check the owner and permissions of the folder");
  return error;
}

}  // namespace helio
