#include "text/grammar/schema_keywords.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>

#include "core/error.h"
#include "text/grammar/schema_algebra.h"

namespace helio::text {
namespace {

constexpr double kLargestBound = 1e15;  // whole numbers that doubles have all of

constexpr const char* kTypes[] = {"object",  "array",   "string", "number",
                                  "integer", "boolean", "null"};

// Which type each keyword speaks of; nullptr: of all.
const std::map<std::string, const char*>& keywords() {
  static const std::map<std::string, const char*> all = {{"type", nullptr},
                                                         {"enum", nullptr},
                                                         {"const", nullptr},
                                                         {"anyOf", nullptr},
                                                         {"oneOf", nullptr},
                                                         {"allOf", nullptr},
                                                         {"$ref", nullptr},
                                                         {"properties", "object"},
                                                         {"required", "object"},
                                                         {"additionalProperties", "object"},
                                                         {"items", "array"},
                                                         {"prefixItems", "array"},
                                                         {"minItems", "array"},
                                                         {"maxItems", "array"},
                                                         {"minLength", "string"},
                                                         {"maxLength", "string"},
                                                         {"pattern", "string"},
                                                         {"format", "string"},
                                                         {"minimum", "number"},
                                                         {"maximum", "number"},
                                                         {"exclusiveMinimum", "number"},
                                                         {"exclusiveMaximum", "number"}};
  return all;
}

}  // namespace

// Formats by their patterns; dates have as many days as their month.
const char* format_pattern(const std::string& name) {
#define HELIO_DATE                                                                                \
  "([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[" \
  "1-9]"                                                                                          \
  "|1[0-9]|2[0-8]))|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)"
#define HELIO_TIME \
  "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
  static const std::map<std::string, const char*> known = {
      {"date", "^" HELIO_DATE "$"},
      {"time", "^" HELIO_TIME "$"},
      {"date-time", "^" HELIO_DATE "T" HELIO_TIME "$"},
      {"uuid", "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"},
      {"ipv4",
       "^((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|"
       "[1-9]?[0-9])$"},
      {"email",
       "^[A-Za-z0-9_+-]{1,32}(\\.[A-Za-z0-9_+-]{1,31})?@([A-Za-z0-9]([A-Za-z0-9-]{0,30}"
       "[A-Za-z0-9])?\\.){1,3}[A-Za-z]{2,12}$"},
  };
#undef HELIO_DATE
#undef HELIO_TIME
  const auto found = known.find(name);
  return found == known.end() ? nullptr : found->second;
}

void check_keywords(const OrderedJson& schema, const std::string& path) {
  for (const auto& [key, value] : schema.items()) {
    if (SchemaAlgebra::is_annotation(key) || keywords().contains(key)) continue;
    const bool says_nothing = (key == "multipleOf" && value == 1) ||
                              (key == "uniqueItems" && value == false) ||
                              ((key == "minProperties" || key == "minContains") && value == 0);
    if (!says_nothing)
      throw Error(ErrorKind::invalid, path + ": the keyword '" + key + "' is not supported")
          .with_hint("leave it out and check the answer yourself");
  }
}

bool is_of_type(const OrderedJson& value, const OrderedJson& schema) {
  if (!schema.contains("type")) return true;
  const auto& given = schema["type"];
  const auto is = [&](const OrderedJson& type) {
    if (type == "integer")
      return value.is_number_integer() ||
             (value.is_number() && value.get<double>() == std::floor(value.get<double>()));
    if (type == "number") return value.is_number();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "null") return value.is_null();
    return type == "array" ? value.is_array() : type == "object" && value.is_object();
  };
  return given.is_array() ? std::any_of(given.begin(), given.end(), is) : is(given);
}

std::vector<std::string> types_of(const OrderedJson& schema, const std::string& path) {
  std::vector<std::string> out;
  const auto add = [&](const OrderedJson& type) {
    const bool known = type.is_string() && std::find(std::begin(kTypes), std::end(kTypes),
                                                     type.get<std::string>()) != std::end(kTypes);
    if (!known) fail_schema(path + ".type", compact(type) + " is no type");
    out.push_back(type.get<std::string>());
  };
  if (schema.contains("type")) {
    if (schema["type"].is_array()) std::for_each(schema["type"].begin(), schema["type"].end(), add);
    else add(schema["type"]);
    // integer and number: all numbers
    if (std::find(out.begin(), out.end(), "number") != out.end()) std::erase(out, "integer");
    return out;
  }
  std::set<std::string> spoken;
  for (const auto& [key, value] : schema.items())
    if (const auto found = keywords().find(key); found != keywords().end() && found->second)
      spoken.insert(found->second);
  if (spoken.empty()) return {"any"};
  if (spoken.size() > 1) fail_schema(path, "'type' is missing, and its keywords speak of several");
  return {*spoken.begin()};
}

int64_t size_of(const OrderedJson& schema, const char* key, int64_t fallback,
                const std::string& path) {
  if (!schema.contains(key)) return fallback;
  const auto& value = schema[key];
  if (!value.is_number_unsigned() || value.get<uint64_t>() > 1'000'000'000)
    fail_schema(path + "." + key, "must be a whole number from 0 on");
  return value.get<int64_t>();
}

SchemaBounds bounds_of(const OrderedJson& schema, const std::string& path) {
  const auto read = [&](const char* key) -> std::optional<double> {
    if (!schema.contains(key)) return std::nullopt;
    if (!schema[key].is_number()) fail_schema(path + "." + key, "must be a number");
    const auto value = schema[key].get<double>();
    if (!(std::abs(value) <= kLargestBound)) fail_schema(path + "." + key, "is too large");
    return value;
  };
  SchemaBounds out{.low = read("minimum"), .high = read("maximum")};
  if (const auto low = read("exclusiveMinimum"); low && (!out.low || *low >= *out.low))
    out.low = low, out.low_included = false;
  if (const auto high = read("exclusiveMaximum"); high && (!out.high || *high <= *out.high))
    out.high = high, out.high_included = false;
  return out;
}

}  // namespace helio::text
