#include "core/file_hashes.h"

#include "core/fs.h"
#include "core/hash.h"

namespace helio {

std::string FileHashes::of(const fs::path& file) {
  std::error_code problem;
  const fs::path place = fs::canonical(file, problem);
  const auto size = fs::file_size(file, problem);
  const auto changed = fs::last_write_time(file, problem);
  if (problem) return sha256_file(file);  // says what is wrong
  {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(place);
    if (found != known_.end() && found->second.size == size && found->second.changed == changed)
      return found->second.sha256;
  }
  const std::string sha256 = sha256_file(file);
  const std::lock_guard lock(mutex_);
  known_[place] = {size, changed, sha256};
  return sha256;
}

}  // namespace helio
