#include "data/read/source_files.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/fs.h"
#include "data/read/byte_stream.h"
#include "data/read/file_format.h"
#include "data/read/remote.h"

namespace helio::data {
namespace {

// Whether `auto` reads it out of a folder: a known name, or first bytes that say what it is.
bool is_readable(const fs::path& path, const std::string& relative) {
  if (format_by_name(relative)) return true;
  PeekStream file(open_file(path));
  return format_by_bytes(file.peek(8)).has_value();
}

// What Hugging Face `datasets` keeps beside its data-*.arrow: settings and caches, no documents.
bool is_dataset_litter(const fs::path& path) {
  const std::string name = path.filename().string();
  if (name == "dataset_dict.json") return true;
  const bool in_dataset = fs::exists(path.parent_path() / "state.json") &&
                          fs::exists(path.parent_path() / "dataset_info.json");
  return in_dataset &&
         (name == "state.json" || name == "dataset_info.json" || name.starts_with("cache-"));
}

std::string split_of(const fs::path& path) {
  const fs::path folder = path.parent_path();
  return fs::exists(folder.parent_path() / "dataset_dict.json") ? folder.filename().string() : "";
}

void finish(std::vector<SourceFile>& files) {
  for (SourceFile& file : files) {
    std::error_code ignored;
    file.size = fs::file_size(file.path, ignored);
    if (ignored) file.size = 0;
    if (file.relative.ends_with(".arrow")) file.split = split_of(file.path);
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.relative < b.relative; });
}

// The part of a pattern before its first wild folder, and the rest.
std::pair<std::string, std::string> split_pattern(const std::string& pattern) {
  const size_t wild = pattern.find_first_of("*?");
  const size_t slash = pattern.rfind('/', wild);
  if (slash == std::string::npos) return {"", pattern};
  return {pattern.substr(0, std::max<size_t>(slash, 1)), pattern.substr(slash + 1)};
}

std::vector<SourceFile> remote_files(const SourceOptions& options) {
  const bool pattern =
      options.path.find('*') != std::string::npos;  // '?' begins an address's query
  const auto [base, wild] =
      pattern ? split_pattern(options.path) : std::pair{options.path, std::string()};
  std::vector<SourceFile> files;
  for (RemoteFile& found : list_remote(base)) {
    if (pattern ? !fits_pattern(found.relative, wild)
                : options.format == "auto" && !format_by_name(found.relative))
      continue;
    files.push_back({.path = found.address, .relative = found.relative, .size = found.size});
  }
  if (files.empty())
    throw Error(ErrorKind::not_found, "no file fits '" + options.path + "'")
        .with_hint("* stays within one folder, ** goes through folders");
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.relative < b.relative; });
  return files;
}

}  // namespace

bool fits_pattern(std::string_view path, std::string_view pattern) {
  while (!pattern.empty()) {
    if (pattern.starts_with("**")) {
      const std::string_view rest =
          pattern.substr(pattern.starts_with("**/") ? 3 : 2);  // "**/" is also no folder at all
      for (size_t at = 0; at <= path.size(); ++at)
        if ((at == 0 || pattern.size() == 2 || path[at - 1] == '/') &&
            fits_pattern(path.substr(at), rest))
          return true;
      return false;
    }
    if (pattern[0] == '*') {
      for (size_t at = 0; at <= path.size(); ++at) {
        if (fits_pattern(path.substr(at), pattern.substr(1))) return true;
        if (at < path.size() && path[at] == '/') return false;
      }
      return false;
    }
    if (path.empty() || (pattern[0] == '?' ? path[0] == '/' : pattern[0] != path[0])) return false;
    path.remove_prefix(1);
    pattern.remove_prefix(1);
  }
  return path.empty();
}

bool is_remote(std::string_view path) { return path.starts_with("s3://"); }

std::vector<SourceFile> source_files(const SourceOptions& options) {
  if (is_remote(options.path)) return remote_files(options);
  const fs::path path = options.path;
  std::vector<SourceFile> files;
  if (options.path.find_first_of("*?") != std::string::npos && !fs::exists(path)) {
    auto [base, pattern] = split_pattern(options.path);
    if (base.empty()) base = ".";
    if (fs::is_directory(base))
      for (const fs::path& file : list_files(base)) {
        std::string relative = file.lexically_relative(base).generic_string();
        if (fits_pattern(relative, pattern)) files.push_back({file, std::move(relative)});
      }
    if (files.empty())
      throw Error(ErrorKind::not_found, "no file fits '" + options.path + "'")
          .with_hint("* stays within one folder, ** goes through folders");
  } else if (fs::is_directory(path)) {
    for (const fs::path& file : list_files(path)) {
      std::string relative = file.lexically_relative(path).generic_string();
      if (is_dataset_litter(file)) continue;
      if (options.format != "auto" || is_readable(file, relative))
        files.push_back({file, std::move(relative)});
    }
    if (files.empty())
      throw Error(ErrorKind::not_found, "the folder '" + options.path + "' has no file to read")
          .with_hint("format: auto reads " + known_endings());
  } else if (fs::exists(path)) {
    files.push_back({path, path.filename().string()});
  } else {
    throw Error(ErrorKind::not_found, "'" + options.path + "' does not exist");
  }
  finish(files);
  return files;
}

}  // namespace helio::data
