#include "core/fs.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "core/error.h"

namespace helio {
namespace {

std::string in_quotes(const fs::path& path) { return "'" + path.string() + "'"; }

void sync_file(const fs::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw system_error("cannot open " + in_quotes(path), errno);
  const int failed = fsync(fd);
  const int problem = errno;
  close(fd);
  if (failed && problem != EINVAL) throw system_error("cannot sync " + in_quotes(path), problem);
}

// A killed process may stay a zombie for as long as its parent does not look: it writes no more.
bool is_alive(int process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string stat;
  if (!std::getline(file, stat)) return false;
  const size_t after_name = stat.rfind(") ");
  return after_name == std::string::npos ||
         (stat[after_name + 2] != 'Z' && stat[after_name + 2] != 'X');
}

}  // namespace

fs::path temporary_beside(const fs::path& target) {
  static std::atomic<int> counter = 0;
  const fs::path parent = target.has_parent_path() ? target.parent_path() : fs::path(".");
  return parent / (std::string(kTemporaryPrefix) + std::to_string(getpid()) + "-" +
                   std::to_string(counter++) + "-" + target.filename().string());
}

void remove_stale_temporaries(const fs::path& folder, std::string_view of) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string file = entry.path().filename().string();
    if (!file.starts_with(kTemporaryPrefix)) continue;
    if (!of.empty() && !file.ends_with("-" + std::string(of))) continue;
    const int owner = std::atoi(file.c_str() + kTemporaryPrefix.size());
    if (owner > 0 && owner != getpid() && !is_alive(owner)) fs::remove_all(entry.path(), ignored);
  }
}

std::string read_file(const fs::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw system_error("cannot open " + in_quotes(path), errno);
  struct stat info = {};
  std::string bytes;
  if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) {
    close(fd);
    throw Error(ErrorKind::invalid, in_quotes(path) + " is a folder, not a file");
  }
  if (info.st_size > 0) bytes.reserve(static_cast<size_t>(info.st_size));
  char chunk[65536];
  for (;;) {
    const ssize_t n = read(fd, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int problem = errno;
      close(fd);
      throw system_error("cannot read " + in_quotes(path), problem);
    }
    if (n == 0) break;
    bytes.append(chunk, static_cast<size_t>(n));
  }
  close(fd);
  return bytes;
}

void make_dirs(const fs::path& path) {
  if (path.empty()) return;
  std::error_code problem;
  fs::create_directories(path, problem);
  if (problem && !fs::is_directory(path))
    throw system_error("cannot make folder " + in_quotes(path), problem.value());
}

void sync_dir(const fs::path& path) { sync_file(path.empty() ? fs::path(".") : path); }

void write_file_atomic(const fs::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

AtomicFile::AtomicFile(fs::path path) : path_(std::move(path)) {
  make_dirs(path_.parent_path());
  temporary_ = temporary_beside(path_);
  fd_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) throw system_error("cannot write " + in_quotes(path_), errno);
}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  close(fd_);
  unlink(temporary_.c_str());
}

void AtomicFile::write(std::string_view bytes) {
  size_ += bytes.size();
  buffer_.append(bytes);
  if (buffer_.size() >= (size_t(1) << 20)) flush();
}

void AtomicFile::flush() {
  size_t done = 0;
  while (done < buffer_.size()) {
    const ssize_t n = ::write(fd_, buffer_.data() + done, buffer_.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error("cannot write " + in_quotes(path_), errno);
    done += static_cast<size_t>(n);
  }
  buffer_.clear();
}

void AtomicFile::commit() {
  flush();
  if (fsync(fd_) && errno != EINVAL) throw system_error("cannot sync " + in_quotes(path_), errno);
  const int fd = fd_;
  fd_ = -1;
  if (close(fd)) {
    const int problem = errno;
    unlink(temporary_.c_str());
    throw system_error("cannot write " + in_quotes(path_), problem);
  }
  if (rename(temporary_.c_str(), path_.c_str())) {
    const int problem = errno;
    unlink(temporary_.c_str());
    throw system_error("cannot rename to " + in_quotes(path_), problem);
  }
  sync_dir(path_.parent_path());
}

StagedDir::StagedDir(fs::path target) : target_(std::move(target)) {
  if (target_.filename().empty()) target_ = target_.parent_path();  // "a/b/" is "a/b"
  const fs::path parent = target_.has_parent_path() ? target_.parent_path() : fs::path(".");
  make_dirs(parent);
  remove_stale_temporaries(parent, target_.filename().string());
  if (fs::exists(target_) && !fs::is_directory(target_))
    throw Error(ErrorKind::invalid, in_quotes(target_) + " exists and is not a folder");
  staging_ = temporary_beside(target_);
  std::error_code ignored;
  fs::remove_all(staging_, ignored);
  make_dirs(staging_);
}

StagedDir::~StagedDir() {
  if (committed_) return;
  std::error_code ignored;
  fs::remove_all(staging_, ignored);
}

void StagedDir::commit() {
  for (const auto& entry : fs::recursive_directory_iterator(staging_))
    if (entry.is_regular_file() || entry.is_directory()) sync_file(entry.path());
  sync_dir(staging_);
  // Linux has no atomic replace of a non-empty folder: the old one steps aside, the new one takes
  // its name, and a crash between the two leaves the staging folder to be made again.
  fs::path aside;
  if (fs::exists(target_)) {
    aside = temporary_beside(target_);
    if (rename(target_.c_str(), aside.c_str()))
      throw system_error("cannot replace " + in_quotes(target_), errno);
  }
  if (rename(staging_.c_str(), target_.c_str())) {
    const int problem = errno;
    if (!aside.empty()) rename(aside.c_str(), target_.c_str());
    throw system_error("cannot rename to " + in_quotes(target_), problem);
  }
  committed_ = true;
  sync_dir(target_.parent_path());
  std::error_code ignored;
  if (!aside.empty()) fs::remove_all(aside, ignored);
}

MappedFile::MappedFile(const fs::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw system_error("cannot open " + in_quotes(path), errno);
  struct stat info = {};
  if (fstat(fd, &info) || !S_ISREG(info.st_mode)) {
    close(fd);
    throw Error(ErrorKind::invalid, in_quotes(path) + " is not a regular file");
  }
  size_ = static_cast<size_t>(info.st_size);
  if (size_ > 0) {
    void* mapped = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapped == MAP_FAILED) {
      const int problem = errno;
      close(fd);
      throw system_error("cannot map " + in_quotes(path), problem);
    }
    data_ = static_cast<const char*>(mapped);
  }
  close(fd);
}

MappedFile::~MappedFile() {
  if (data_) munmap(const_cast<char*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

std::vector<fs::path> list_files(const fs::path& root, const std::vector<std::string>& endings) {
  if (!fs::is_directory(root)) throw Error(ErrorKind::not_found, "no folder " + in_quotes(root));
  std::vector<fs::path> found;
  for (const auto& entry :
       fs::recursive_directory_iterator(root, fs::directory_options::follow_directory_symlink |
                                                  fs::directory_options::skip_permission_denied)) {
    if (!entry.is_regular_file()) continue;
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kTemporaryPrefix)) continue;
    if (endings.empty() || std::any_of(endings.begin(), endings.end(),
                                       [&](const auto& ending) { return name.ends_with(ending); }))
      found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end(), [](const fs::path& a, const fs::path& b) {
    return a.generic_string() < b.generic_string();
  });
  return found;
}

}  // namespace helio
