// The documents of a benchmark, in a folder of Arrow files or JSON lines.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "eval/task_spec.h"

namespace helio::eval {

// The rows of one file: .arrow (a stream), JSON lines, or .json, an object of objects whose names
// become their `id`; the latter two plain or .gz or .zst.
std::vector<Json> read_rows(const std::filesystem::path& path);

class BenchmarkData {
 public:
  explicit BenchmarkData(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Documents of a split (of one subject, when it is not empty) in file order, or nothing when no
  // place has them. A place is a folder of data-*.arrow, or a file NAME.arrow, .jsonl or
  // .json, the latter two also .gz or .zst. A damaged file is an Error.
  std::optional<std::vector<Json>> documents(const DataSpec& data, const std::string& split,
                                             const std::string& subject);
  // Where documents() looks, for messages.
  static std::string wanted(const DataSpec& data, const std::string& split,
                            const std::string& subject);

  // Of the files read so far, in the order first read: what a result records.
  std::string content() const;

 private:
  struct File {
    std::vector<Json> rows = {};
    std::map<std::string, std::vector<size_t>> by_subject = {};
  };
  const File& load(const std::filesystem::path& path, const std::string& subject_field);

  std::filesystem::path folder_;
  std::map<std::string, File> files_ = {};
  std::vector<std::string> hashes_ = {};
};

}  // namespace helio::eval
