// How tensor work of a run is done here: threads, and the type of its products.
#pragma once

#include <cstdint>

#include "model/decoder.h"
#include "train/options.h"

namespace helio::train {

// How the model is to compute, with "auto" resolved for this processor.
model::ForwardOptions forward_options(const Optimisation& train);

// Sets how many threads tensor work uses (0: all cores this process may use); returns the number.
int64_t use_threads(int64_t asked);

}  // namespace helio::train
