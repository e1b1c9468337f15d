// Models that operators name: where their files lie, and each loaded once.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace helio::data {

// A path as given; a bare name that is no file here is looked for in the cache folder
// ($XDG_CACHE_HOME or ~/.cache, then heliostack). Error{not_found} that says where it was looked
// for, with the hint.
std::filesystem::path find_model_file(const std::string& name, const std::string& hint);

// The same file is loaded once, however many operators name it. Only files still in use are held; a
// file that changed is read anew.
template <class Model>
std::shared_ptr<const Model> load_shared_model(const std::filesystem::path& path) {
  struct Entry {
    std::weak_ptr<const Model> model;
    uintmax_t size = 0;
    std::filesystem::file_time_type time = {};
  };
  static std::mutex guard;
  static std::map<std::filesystem::path, Entry> loaded;
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  const auto time = std::filesystem::last_write_time(path, error);
  const std::lock_guard lock(guard);
  Entry& entry = loaded[std::filesystem::absolute(path)];
  if (auto model = entry.model.lock(); model && entry.size == size && entry.time == time)
    return model;
  auto model = std::make_shared<const Model>(path);
  entry = {model, size, time};
  return model;
}

}  // namespace helio::data
