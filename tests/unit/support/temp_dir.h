// A folder of its own for one test, gone afterwards.
#pragma once

#include <stdlib.h>

#include <cerrno>
#include <fstream>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/fs.h"

namespace helio {

class TempDir {
 public:
  TempDir() {
    std::string name = (fs::temp_directory_path() / "helio-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw system_error("mkdtemp '" + name + "'", errno);
    path_ = name;
  }
  ~TempDir() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const fs::path& path() const { return path_; }
  fs::path operator/(const fs::path& name) const { return path_ / name; }
  // A file in it, by plain streams: what is tested does not write its own inputs.
  fs::path write(const fs::path& name, std::string_view bytes) const {
    const fs::path file = path_ / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << bytes;
    return file;
  }

 private:
  fs::path path_;
};

// Recorded inputs and expectations.
inline fs::path fixture(const std::string& name) {
  return fs::path(HELIO_SOURCE_DIR) / "tests/fixtures" / name;
}

}  // namespace helio
