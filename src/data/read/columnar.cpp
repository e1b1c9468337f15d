#include "data/read/columnar.h"

#include <dlfcn.h>

#include <cstdlib>
#include <mutex>
#include <string>

#include "core/error.h"
#include "core/fs.h"

namespace helio::data {
namespace {

constexpr const char* kName = "libhelio_columnar.so";

fs::path module_path() {
  if (const char* stated = std::getenv("HELIO_COLUMNAR")) return stated;
  std::error_code ignored;
  const fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const fs::path& path : {folder / kName, folder / ".." / "lib" / kName})
    if (fs::exists(path, ignored)) return path;
  return {};
}

columnar::Library* load(std::string& why) {
  const fs::path path = module_path();
  if (path.empty()) {
    why = std::string(kName) + " is not beside the program";
    return nullptr;
  }
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char* problem = dlerror();
    why = problem ? problem : "it cannot be loaded";
    return nullptr;
  }
  const auto factory = reinterpret_cast<columnar::Factory>(dlsym(handle, columnar::kFactory));
  if (!factory) why = path.string() + " is of another version of helio";
  return factory ? factory() : nullptr;
}

struct Loaded {
  columnar::Library* library = nullptr;
  std::string why = {};
};

const Loaded& loaded() {
  static const Loaded once = [] {
    Loaded result;
    result.library = load(result.why);
    return result;
  }();
  return once;
}

}  // namespace

columnar::Library& columnar_library() {
  if (!loaded().library)
    throw Error(ErrorKind::failed,
                "Parquet, Arrow and S3 need helio's columnar module: " + loaded().why)
        .with_hint("build it: run tools/get_libarrow and configure with -DHELIO_ARROW=ON");
  return *loaded().library;
}

bool has_columnar_library() { return loaded().library != nullptr; }

}  // namespace helio::data
