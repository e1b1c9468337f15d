// Reads Arrow IPC data row by row as JSON: what Hugging Face `datasets` keeps on disk
// (data-*.arrow, a plain stream) and Arrow files that hold such a stream.
//
// A reader of our own, and small: benchmark data uses strings, numbers, booleans, lists and
// structs, uncompressed. Anything else (dictionaries, compression, dates) is an error that names
// it. Every offset and length is checked before it is used. See
// docs/decisions/0005-arrow-reader.md.
#pragma once

#include <filesystem>
#include <functional>
#include <string_view>

#include "core/json.h"

namespace helio::text {

// Calls `row` with each row as an object, in order. Errors name the file and the column.
void read_arrow(const std::filesystem::path& path, const std::function<void(Json row)>& row);
// The same of bytes in memory; `source` names them in errors.
void read_arrow(std::string_view bytes, const std::string& source,
                const std::function<void(Json row)>& row);

}  // namespace helio::text
