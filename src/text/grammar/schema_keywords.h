// What the keywords of a JSON schema say, before it is a grammar (json_schema.cpp). Errors name the
// place, `path`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"

namespace helio::text {

// Error{invalid} for a keyword that is not supported and says something.
void check_keywords(const OrderedJson& schema, const std::string& path);

// The types a schema allows, "any" for all; without "type" the keywords tell it, where they all
// speak of one.
std::vector<std::string> types_of(const OrderedJson& schema, const std::string& path);
// May the value be one of the schema's types?
bool is_of_type(const OrderedJson& value, const OrderedJson& schema);

// minLength and the like.
int64_t size_of(const OrderedJson& schema, const char* key, int64_t fallback,
                const std::string& path);

struct SchemaBounds {
  std::optional<double> low, high;
  bool low_included = true, high_included = true;
};
SchemaBounds bounds_of(const OrderedJson& schema, const std::string& path);

// The pattern of a "format"; nullptr: not supported.
const char* format_pattern(const std::string& name);

}  // namespace helio::text
