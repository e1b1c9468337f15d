#include "data/fasttext/find_model.h"

#include <fmt/format.h>

#include <cstdlib>

#include "core/error.h"
#include "core/fs.h"

namespace helio::data::fasttext {

fs::path find_model(const std::string& name) {
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
  Error missing(ErrorKind::not_found, fmt::format("there is no model '{}'{}", name, also));
  throw missing.with_hint(name == "lid.176.ftz"
                              ? "tools/get_lid fetches lid.176.ftz (0.9 MB) into the cache folder"
                              : "give the path of a fastText model, .bin or .ftz");
}

}  // namespace helio::data::fasttext
