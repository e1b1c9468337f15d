// Cells of Arrow arrays as text and as JSON.
#pragma once

#include <arrow/array.h>

#include <cstdint>
#include <string>

#include "columnar/columnar.h"

namespace helio::columnar {

// Strings and bytes of any width, also behind a dictionary.
bool is_text(const arrow::DataType& type);
Cell text_cell(const arrow::Array& array, int64_t row);
// Numbers, booleans, strings, lists, structs and maps as JSON; dates and decimals as strings; bytes
// and what has no JSON as null.
void append_json(std::string& out, const arrow::Array& array, int64_t row, int depth = 0);
void append_json_text(std::string& out, std::string_view text);

}  // namespace helio::columnar
