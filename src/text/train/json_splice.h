// Additions to a JSON text that leave every other byte of it as it was.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace helio::text {

struct JsonSpan {
  size_t begin = 0, end = 0;  // of a value
};

// Where the value at a path of keys stands; of a key said twice the last. The text must be valid
// JSON (parse_json() has read it). Error{invalid} when there is none.
JsonSpan find_json_value(std::string_view json, std::initializer_list<std::string_view> path);

// A list or object with elements (JSON texts; of an object `"key":value`) added at its end, in the
// style of those there are: one a line where they are, else side by side.
std::string with_elements(std::string_view json, const std::vector<std::string>& elements);

}  // namespace helio::text
