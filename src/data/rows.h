// A dataset's rows as lines of JSON, written fast.
#pragma once

#include <string>
#include <vector>

#include "data/chunk.h"

namespace helio::data {

// Appends `text` as a JSON string. Invalid UTF-8 becomes U+FFFD.
void put_json_string(std::string& out, std::string_view text);

// {"id","text","lot","partner","language","split","path", ...} and a line end.
void put_row(std::string& out, const Document& document, const std::vector<Step>& steps);
// The same with {"step","reason","value"}.
void put_dropped_row(std::string& out, const Dropped& dropped, const std::vector<Step>& steps);

}  // namespace helio::data
