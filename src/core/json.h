// JSON for configuration and APIs (nlohmann). For bulk text use simdjson in data/.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace helio {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

// Errors: ErrorKind::invalid with "source:line:column: what". Nesting deeper than 200 is refused.
Json parse_json(std::string_view text, const std::string& source);
Json load_json(const std::filesystem::path& path);
// Two-space indent, UTF-8 as it is, final newline.
std::string pretty(const OrderedJson& json);
// One line, UTF-8 as it is; invalid UTF-8 is replaced rather than thrown at.
std::string compact(const OrderedJson& json);

}  // namespace helio
