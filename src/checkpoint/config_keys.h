// Keys of one JSON object of a config.json; every error names the file and the key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/json.h"

namespace helio::checkpoint {

class ConfigKeys {
 public:
  // `source` names the file in errors, `prefix` ("rope_scaling.") the object inside it.
  ConfigKeys(const Json& object, const std::string& source, std::string prefix = {});

  // Null counts as absent: transformers writes null for "not set".
  const Json* find(const char* key) const;
  // There, be it null: for keys whose absence and whose null mean different things.
  bool says(const char* key) const { return object_.contains(key); }
  const Json& need(const char* key, std::string_view why = kCopyIt) const;

  int64_t integer(const char* key, const Json& value, int64_t low = 1) const;
  int64_t need_integer(const char* key) const { return integer(key, need(key)); }
  double positive(const char* key, const Json& value) const;
  double need_positive(const char* key) const { return positive(key, need(key)); }
  bool boolean(const char* key, const Json& value) const;
  bool boolean_or(const char* key, bool otherwise) const;  // absent: `otherwise`
  std::string text(const char* key, const Json& value) const;
  std::vector<double> positives(const char* key, const Json& value) const;
  // Throws unless the key is absent, null or `value`: an option that changes numbers and is not
  // run.
  void only(const char* key, const Json& value, const std::string& expected) const;

  ConfigKeys object(const char* key, const Json& value) const;

  Error missing(const char* key, std::string_view why = kCopyIt) const;
  Error bad(const char* key, const Json& value, const std::string& expected) const;
  Error unsupported(const std::string& what, const std::string& hint) const;

  static constexpr std::string_view kCopyIt =
      "copy it from the model this checkpoint was made from";

 private:
  const Json& object_;
  const std::string& source_;
  std::string prefix_;
};

}  // namespace helio::checkpoint
