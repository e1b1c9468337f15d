#include "core/following_hash.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/hash.h"

namespace helio {

FollowingHash::FollowingHash(std::filesystem::path path)
    : path_(std::move(path)), thread_([this] {
        try {
          follow();
        } catch (...) {
          problem_ = std::current_exception();
        }
      }) {}

FollowingHash::~FollowingHash() {
  {
    const std::lock_guard lock(guard_);
    dropped_ = true;
  }
  news_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void FollowingHash::written(uint64_t size) {
  {
    const std::lock_guard lock(guard_);
    written_ = std::max(written_, size);
  }
  news_.notify_one();
}

std::string FollowingHash::hex() {
  {
    const std::lock_guard lock(guard_);
    whole_ = true;
  }
  news_.notify_one();
  thread_.join();
  if (problem_) std::rethrow_exception(problem_);
  return hex_;
}

void FollowingHash::follow() {
  struct Descriptor {
    int fd;
    ~Descriptor() { close(fd); }
  };
  const Descriptor file{open(path_.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) throw system_error("cannot open '" + path_.string() + "'", errno);
  Sha256Stream stream;
  std::vector<char> chunk(size_t(1) << 20);
  for (uint64_t at = 0;;) {
    uint64_t end = 0;
    {
      std::unique_lock lock(guard_);
      news_.wait(lock, [&] { return dropped_ || whole_ || written_ > at; });
      if (dropped_) return;
      end = written_;
      if (whole_ && at == end) break;
    }
    // A chunk at a time, so that giving up is noticed soon.
    end = std::min<uint64_t>(end, at + chunk.size());
    while (at < end) {
      const ssize_t got = pread(file.fd, chunk.data(), end - at, static_cast<off_t>(at));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw system_error("cannot read '" + path_.string() + "'", errno);
      if (got == 0)
        throw Error(ErrorKind::failed, "'" + path_.string() + "' became shorter while it was made");
      stream.update({chunk.data(), static_cast<size_t>(got)});
      at += static_cast<uint64_t>(got);
    }
  }
  hex_ = stream.hex();
}

}  // namespace helio
