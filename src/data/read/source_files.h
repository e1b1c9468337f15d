// The files an input names.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "data/read/source_options.h"

namespace helio::data {

struct SourceFile {
  std::filesystem::path path = {};  // on disk, or an s3:// address
  std::string relative = {};        // '/' separators; of a zip's member "a.zip/inner/name.txt"
  std::string member = {};          // name in the zip at `path`, else empty
  uint64_t size = 0;                // on disk; of a member, compressed
  std::string split = {};           // a Hugging Face DatasetDict's: "train", "validation", ...
};

// In byte order of their relative paths. Error{not_found} when the path names nothing.
std::vector<SourceFile> source_files(const SourceOptions& options);

// True when `path` ('/' separators) fits `pattern`: * and ? within a folder's name, ** over
// folders.
bool fits_pattern(std::string_view path, std::string_view pattern);

bool is_remote(std::string_view path);  // s3://...

}  // namespace helio::data
