// A scratch file without a name: it is gone when closed, whatever happens to the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>

namespace helio::data {

class SpillFile {
 public:
  explicit SpillFile(const std::filesystem::path& folder);
  ~SpillFile();
  SpillFile(SpillFile&& other) noexcept;
  SpillFile& operator=(SpillFile&& other) noexcept;

  uint64_t size() const { return size_; }
  // Errors (a full disk) throw at the write that meets them.
  void append(std::string_view bytes);
  void append(const void* data, size_t size) { append({static_cast<const char*>(data), size}); }
  // Reads exactly `size` bytes at `offset`; safe from several threads at once.
  void read(uint64_t offset, void* data, size_t size) const;

 private:
  int fd_ = -1;
  uint64_t size_ = 0;
};

}  // namespace helio::data
