// The file layouts preference data comes in: one row as a pair. Torch-free.
#pragma once

#include <string>

#include "core/json.h"
#include "text/preference_data.h"

namespace helio::text {

// `place` names the row in errors: Error{invalid} for a row of no known layout.
Preference read_preference(const Json& row, const std::string& place);

}  // namespace helio::text
