// One document's way through a pipeline, read back from the dataset it made.
#pragma once

#include <filesystem>
#include <string>

#include "core/json.h"

namespace helio::data {

// {"id","fate": "kept"|"dropped","step","reason","value","lot","partner","language","split","path",
//  "scores","changed","cluster","text"}; step, reason and value of a dropped one.
// Error{not_found} when the dataset has no such document, with an id that is near.
OrderedJson explain(const std::filesystem::path& dataset, const std::string& id);

}  // namespace helio::data
