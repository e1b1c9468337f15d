// SHA-256 of files that a command asks for more than once, each read once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>

#include "core/manifest.h"

namespace helio {

class FileHashes {
 public:
  // Hex. A file whose size or time of change is another one than before is read again. From any
  // thread.
  std::string of(const std::filesystem::path& file);

 private:
  struct Known {
    uintmax_t size = 0;
    std::filesystem::file_time_type changed = {};
    std::string sha256 = {};
  };
  std::mutex mutex_;
  std::map<std::filesystem::path, Known> known_ = {};  // by canonical path
};

// describe_input (core/manifest.h) with hashes that may be known.
ArtefactInput describe_input(const std::string& role, const std::filesystem::path& path,
                             FileHashes& hashes);

}  // namespace helio
