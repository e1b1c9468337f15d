#include "data/model_file.h"

#include <fmt/format.h>

#include <cstdlib>

#include "core/error.h"
#include "core/fs.h"

namespace helio::data {

fs::path find_model_file(const std::string& name, const std::string& hint) {
  const fs::path path = name;
  std::error_code error;
  if (fs::is_regular_file(path, error)) return path;
  std::string also;
  if (!path.has_parent_path() && !name.empty()) {
    const char* const cache = std::getenv("XDG_CACHE_HOME");
    const char* const home = std::getenv("HOME");
    const fs::path folder =
        (cache && *cache ? fs::path(cache) : fs::path(home ? home : "") / ".cache") / "heliostack";
    if (fs::is_regular_file(folder / path, error)) return folder / path;
    also = fmt::format(" (nor in {})", folder.string());
  }
  throw Error(ErrorKind::not_found, fmt::format("there is no model '{}'{}", name, also))
      .with_hint(hint);
}

}  // namespace helio::data
