// The same work on many items, on a few threads: core's, by the name the data module uses.
#pragma once

#include "core/parallel.h"

namespace helio::data {
using helio::parallel_slices;
}  // namespace helio::data
