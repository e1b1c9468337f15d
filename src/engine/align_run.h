// An alignment with what the commands add to it: pairs that share words with a benchmark are found
// by the operator of data pipelines.
#pragma once

#include "train/align.h"

namespace helio::engine {

// Notes which items the pairs share words with. Errors as AlignRun's and the operator's.
train::AlignRun make_align_run(const train::AlignOptions& options, Monitor& monitor);

}  // namespace helio::engine
