#include "checkpoint/config_keys.h"

#include <fmt/format.h>

#include <cmath>

namespace helio::checkpoint {

ConfigKeys::ConfigKeys(const Json& object, const std::string& source, std::string prefix)
    : object_(object), source_(source), prefix_(std::move(prefix)) {
  if (object.is_object()) return;
  const std::string what = prefix_.empty() ? "the file" : prefix_.substr(0, prefix_.size() - 1);
  throw Error(ErrorKind::invalid, source_ + ": " + what + " is not a JSON object")
      .with_hint(std::string(kCopyIt));
}

const Json* ConfigKeys::find(const char* key) const {
  const auto it = object_.find(key);
  return it == object_.end() || it->is_null() ? nullptr : &*it;
}

const Json& ConfigKeys::need(const char* key, std::string_view why) const {
  if (const auto* value = find(key)) return *value;
  throw missing(key, why);
}

int64_t ConfigKeys::integer(const char* key, const Json& value, int64_t low) const {
  constexpr int64_t most = int64_t(1) << 31;  // far above any model; keeps products within 2^63
  if (!value.is_number_integer() ||
      (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t(most)) ||
      value.get<int64_t>() < low || value.get<int64_t>() > most)
    throw bad(key, value, fmt::format("a whole number from {} to {}", low, most));
  return value.get<int64_t>();
}

double ConfigKeys::positive(const char* key, const Json& value) const {
  if (!value.is_number() || !std::isfinite(value.get<double>()) || value.get<double>() <= 0)
    throw bad(key, value, "a number above 0");
  return value.get<double>();
}

bool ConfigKeys::boolean(const char* key, const Json& value) const {
  if (!value.is_boolean()) throw bad(key, value, "true or false");
  return value.get<bool>();
}

bool ConfigKeys::boolean_or(const char* key, bool otherwise) const {
  const Json* value = find(key);
  return value == nullptr ? otherwise : boolean(key, *value);
}

std::string ConfigKeys::text(const char* key, const Json& value) const {
  if (!value.is_string()) throw bad(key, value, "a string");
  return value.get<std::string>();
}

std::vector<double> ConfigKeys::positives(const char* key, const Json& value) const {
  if (!value.is_array()) throw bad(key, value, "a list of numbers above 0");
  std::vector<double> numbers;
  for (const Json& number : value) numbers.push_back(positive(key, number));
  return numbers;
}

void ConfigKeys::only(const char* key, const Json& value, const std::string& expected) const {
  if (const Json* said = find(key); said != nullptr && *said != value)
    throw bad(key, *said, expected);
}

ConfigKeys ConfigKeys::object(const char* key, const Json& value) const {
  return ConfigKeys(value, source_, prefix_ + key + ".");
}

Error ConfigKeys::missing(const char* key, std::string_view why) const {
  return Error(ErrorKind::invalid,
               fmt::format("{}: '{}{}' is missing, and the model's numbers depend on it", source_,
                           prefix_, key))
      .with_hint(std::string(why));
}

Error ConfigKeys::bad(const char* key, const Json& value, const std::string& expected) const {
  std::string got = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (got.size() > 60) got = got.substr(0, 60) + "...";
  return Error(ErrorKind::invalid,
               fmt::format("{}: '{}{}' is {}, not {}", source_, prefix_, key, got, expected));
}

Error ConfigKeys::unsupported(const std::string& what, const std::string& hint) const {
  return Error(ErrorKind::invalid, source_ + ": " + what).with_hint(hint);
}

}  // namespace helio::checkpoint
