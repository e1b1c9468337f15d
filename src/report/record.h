// Reading the JSON that other stages wrote: a missing value is missing (shown as a dash), a value
// of the wrong type is a damaged file and named.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "core/json.h"

namespace helio::report {

class Record {
 public:
  Record(const Json& json, std::string source) : json_(&json), source_(std::move(source)) {}

  const std::string& source() const { return source_; }
  const Json& json() const { return *json_; }
  bool has(const char* key) const;  // and not null

  // Empty when the key is missing or null.
  std::optional<double> number(const char* key) const;
  std::optional<int64_t> count(const char* key) const;
  std::string text(const char* key) const;  // "" when missing

  // Calls back for each member of the object, or row of the array, under the key; none when
  // missing. `row` records know their place: "file: steps[3]".
  void each_member(const char* key,
                   const std::function<void(const std::string&, const Json&)>& member) const;
  void each_row(const char* key, const std::function<void(const Record&)>& row) const;
  // The object under the key, or an empty one.
  Record below(const char* key) const;

  [[noreturn]] void damaged(const char* key, const char* expected) const;

 private:
  const Json* find(const char* key) const;  // null when missing
  const Json* json_;
  std::string source_;
};

// The whole object of a file; Error{invalid} naming it when it is no JSON object.
Json load_object(const std::filesystem::path& path);

}  // namespace helio::report
