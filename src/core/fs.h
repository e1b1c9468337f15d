// Files: read whole, map, write so that a crash leaves the old content or the new, never half.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace helio {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path);
// Writes to a temporary name beside it, syncs, renames. Makes parent folders.
void write_file_atomic(const fs::path& path, std::string_view bytes);
void make_dirs(const fs::path& path);
// fsync of a folder, so that renames and new names in it survive a power cut.
void sync_dir(const fs::path& path);

// A file being written. Without commit() nothing appears under its name and the temporary is
// removed; write errors (a full disk) throw at the write that meets them.
class AtomicFile {
 public:
  explicit AtomicFile(fs::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::string_view bytes);
  void write(const void* data, size_t size) { write({static_cast<const char*>(data), size}); }
  uint64_t size() const { return size_; }  // bytes written so far
  void commit();

 private:
  void flush();
  fs::path path_, temporary_;
  int fd_ = -1;
  uint64_t size_ = 0;
  std::string buffer_;
};

// A folder being written: work in path(), then commit() syncs every file and renames it to its
// name (an older folder there is replaced). Without commit() it is removed.
class StagedDir {
 public:
  explicit StagedDir(fs::path target);
  ~StagedDir();
  StagedDir(const StagedDir&) = delete;
  StagedDir& operator=(const StagedDir&) = delete;

  const fs::path& path() const { return staging_; }
  void commit();

 private:
  fs::path target_, staging_;
  bool committed_ = false;
};

// A file mapped read-only. An empty file maps to an empty view.
class MappedFile {
 public:
  MappedFile() = default;
  explicit MappedFile(const fs::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::string_view text() const { return {data_, size_}; }
  std::span<const std::byte> bytes() const {
    return {reinterpret_cast<const std::byte*>(data_), size_};
  }
  size_t size() const { return size_; }

 private:
  const char* data_ = nullptr;
  size_t size_ = 0;
};

// Regular files under `root` whose name ends with one of `endings` (all when empty), sorted by
// relative path bytes: the same order on every machine.
std::vector<fs::path> list_files(const fs::path& root,
                                 const std::vector<std::string>& endings = {});

// Names of the temporary files and folders this program makes begin with this.
inline constexpr std::string_view kTemporaryPrefix = ".helio-tmp-";

// A name for what is written beside `target` until it is whole: the process's own, so that
// remove_stale_temporaries() knows whose it was.
fs::path temporary_beside(const fs::path& target);

// Removes temporaries in a folder whose process is dead: litter of a kill -9. `of`: only those that
// were to become this name.
void remove_stale_temporaries(const fs::path& folder, std::string_view of = {});

}  // namespace helio
