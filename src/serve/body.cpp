#include "serve/body.h"

#include <fmt/format.h>

#include "core/error.h"
#include "serve/api_error.h"

namespace helio::serve {
namespace {

ApiError wrong_type(const char* key, const char* wanted) {
  return ApiError(400, fmt::format("'{}' must be {}", key, wanted), key, "invalid_type");
}

}  // namespace

Body::Body(std::string_view text) : text_(text) {
  try {
    json_ = parse_json(text, "the request's body");
  } catch (const Error& error) {
    throw ApiError(400, error.message());
  }
  if (!json_.is_object()) throw ApiError(400, "the request's body must be a JSON object");
}

const Json* Body::find(const char* key) const {
  const auto found = json_.find(key);
  return found == json_.end() || found->is_null() ? nullptr : &*found;
}

OrderedJson Body::in_order(const char* key) const {
  if (!find(key)) return nullptr;
  return OrderedJson::parse(text_)[key];  // its form and depth were checked with json_
}

const Json& Body::need(const char* key) const {
  if (const Json* value = find(key)) return *value;
  throw ApiError(400, fmt::format("'{}' is missing", key), key, "missing_required_parameter");
}

std::string Body::text(const char* key, const std::string& fallback) const {
  const Json* value = find(key);
  if (!value) return fallback;
  if (!value->is_string()) throw wrong_type(key, "a string");
  return value->get<std::string>();
}

int64_t Body::whole(const char* key, int64_t fallback, int64_t low, int64_t high) const {
  const Json* value = find(key);
  if (!value) return fallback;
  if (!value->is_number_integer() ||
      (value->is_number_unsigned() && value->get<uint64_t>() > uint64_t(INT64_MAX)))
    throw wrong_type(key, "a whole number");
  const auto number = value->get<int64_t>();
  if (number < low || number > high)
    throw ApiError(400, fmt::format("'{}' must be between {} and {}, not {}", key, low, high, number),
                   key, "invalid_value");
  return number;
}

double Body::number(const char* key, double fallback, double low, double high) const {
  const Json* value = find(key);
  if (!value) return fallback;
  if (!value->is_number()) throw wrong_type(key, "a number");
  const auto number = value->get<double>();
  if (!(number >= low && number <= high))
    throw ApiError(400, fmt::format("'{}' must be between {} and {}, not {}", key, low, high, number),
                   key, "invalid_value");
  return number;
}

bool Body::flag(const char* key, bool fallback) const {
  const Json* value = find(key);
  if (!value) return fallback;
  if (!value->is_boolean()) throw wrong_type(key, "true or false");
  return value->get<bool>();
}

std::vector<std::string> Body::texts(const char* key, size_t most) const {
  const Json* value = find(key);
  if (!value) return {};
  if (value->is_string()) return {value->get<std::string>()};
  if (!value->is_array()) throw wrong_type(key, "a string or a list of strings");
  if (value->size() > most)
    throw ApiError(400, fmt::format("'{}' may have {} entries at most", key, most), key,
                   "invalid_value");
  std::vector<std::string> out;
  for (const auto& item : *value) {
    if (!item.is_string()) throw wrong_type(key, "a string or a list of strings");
    out.push_back(item.get<std::string>());
  }
  return out;
}

}  // namespace helio::serve
