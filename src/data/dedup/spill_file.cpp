#include "data/dedup/spill_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "core/error.h"

namespace helio::data {
namespace {

Error scratch_error(std::string what, int problem) {
  Error error = system_error(std::move(what), problem);
  if (problem == ENOSPC || problem == EDQUOT)
    error.with_hint(
        "sorts need scratch space of a few times their input: free some, or put the "
        "scratch folder on a larger disk");
  return error;
}

}  // namespace

SpillFile::SpillFile(const std::filesystem::path& folder) {
  std::string name = (folder / "spill-XXXXXX").string();
  fd_ = mkostemp(name.data(), O_CLOEXEC);
  if (fd_ < 0)
    throw scratch_error("cannot make a scratch file in '" + folder.string() + "'", errno);
  unlink(name.c_str());
}

SpillFile::~SpillFile() {
  if (fd_ >= 0) close(fd_);
}

SpillFile::SpillFile(SpillFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), size_(std::exchange(other.size_, 0)) {}

SpillFile& SpillFile::operator=(SpillFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(size_, other.size_);
  return *this;
}

void SpillFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw scratch_error("cannot write a scratch file", errno);
    size_ += static_cast<uint64_t>(n);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

void SpillFile::read(uint64_t offset, void* data, size_t size) const {
  HELIO_CHECK(offset <= size_ && size <= size_ - offset, "a scratch file is read beyond its end");
  auto* out = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t n = pread(fd_, out, size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw scratch_error("cannot read a scratch file", n < 0 ? errno : EIO);
    out += n;
    offset += static_cast<uint64_t>(n);
    size -= static_cast<size_t>(n);
  }
}

}  // namespace helio::data
