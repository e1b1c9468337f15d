// The module with Arrow inside, loaded when it is first asked for.
#pragma once

#include "columnar/columnar.h"

namespace helio::data {

// Looks beside the running program, in ../lib and where HELIO_COLUMNAR points. Error{failed} with
// what to do when it is not there. Any thread.
columnar::Library& columnar_library();
bool has_columnar_library();

}  // namespace helio::data
