// The whole page: one self-contained HTML file.
#pragma once

#include <string>

#include "report/model.h"

namespace helio::report {

// Depends on the report alone. Works without JavaScript: the language switch is two radio buttons
// and CSS; a few lines of script only choose the reader's language at the start.
std::string render_page(const Report& report);

}  // namespace helio::report
