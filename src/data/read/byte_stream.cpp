#include "data/read/byte_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/fs.h"

namespace helio::data {
namespace {

class FileStream final : public ByteStream {
 public:
  FileStream(const fs::path& path, std::atomic<uint64_t>* consumed, uint64_t begin, uint64_t size)
      : path_(path), consumed_(consumed), at_(begin), left_(size) {
    fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0) throw system_error("cannot open '" + path.string() + "'", errno);
    if (fs::is_directory(path)) {
      close(fd_);
      throw Error(ErrorKind::invalid, "'" + path.string() + "' is a folder, not a file");
    }
  }
  ~FileStream() override { close(fd_); }

  size_t read(char* to, size_t size) override {
    size = static_cast<size_t>(std::min<uint64_t>(size, left_));
    if (size == 0) return 0;
    for (;;) {
      const ssize_t n = pread(fd_, to, size, static_cast<off_t>(at_));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw system_error("cannot read '" + path_.string() + "'", errno);
      at_ += static_cast<uint64_t>(n);
      left_ -= static_cast<uint64_t>(n);
      if (consumed_) *consumed_ += static_cast<uint64_t>(n);
      return static_cast<size_t>(n);
    }
  }

 private:
  fs::path path_;
  std::atomic<uint64_t>* consumed_;
  uint64_t at_, left_;
  int fd_ = -1;
};

class MemoryStream final : public ByteStream {
 public:
  explicit MemoryStream(std::string bytes) : bytes_(std::move(bytes)) {}
  size_t read(char* to, size_t size) override {
    const size_t n = std::min(size, bytes_.size() - at_);
    std::memcpy(to, bytes_.data() + at_, n);
    at_ += n;
    return n;
  }

 private:
  std::string bytes_;
  size_t at_ = 0;
};

}  // namespace

Stream open_file(const std::filesystem::path& path, std::atomic<uint64_t>* consumed, uint64_t begin,
                 uint64_t size) {
  return std::make_unique<FileStream>(path, consumed, begin, size);
}

Stream from_memory(std::string bytes) { return std::make_unique<MemoryStream>(std::move(bytes)); }

std::string_view PeekStream::peek(size_t size) {
  head_.erase(0, at_);
  at_ = 0;
  while (head_.size() < size) {
    const size_t old = head_.size();
    head_.resize(size);
    const size_t n = source_->read(head_.data() + old, size - old);
    head_.resize(old + n);
    if (n == 0) break;
  }
  return std::string_view(head_).substr(0, size);
}

size_t PeekStream::read(char* to, size_t size) {
  if (at_ == head_.size()) return source_->read(to, size);
  const size_t n = std::min(size, head_.size() - at_);
  std::memcpy(to, head_.data() + at_, n);
  at_ += n;
  return n;
}

std::string read_all(ByteStream& stream, size_t limit) {
  std::string all;
  for (;;) {
    const size_t old = all.size();
    all.resize(old + std::clamp<size_t>(old, size_t(64) << 10, size_t(8) << 20));
    const size_t n = stream.read(all.data() + old, all.size() - old);
    all.resize(old + n);
    if (n == 0) return all;
    if (all.size() > limit)
      throw Error(ErrorKind::invalid, "more than " + std::to_string(limit) + " bytes");
  }
}

}  // namespace helio::data
