#include "train/compute.h"

#include "nn/processor.h"
#include "nn/runtime.h"
#include "train/distributed/placement.h"

namespace helio::train {

int64_t use_threads(int64_t asked) {
  nn::prepare_runtime(asked > 0 ? asked : distributed::default_threads());
  return nn::threads_in_use();
}

model::ForwardOptions forward_options(const Optimisation& train) {
  const nn::Processor& has = nn::processor();
  const bool rounded =
      train.dtype == "bfloat16" || (train.dtype == "auto" && (has.amx_bf16 || has.avx512_bf16));
  return {.keep = train.recompute ? model::Keep::inputs : model::Keep::activations,
          .products = rounded ? at::kBFloat16 : at::kFloat};
}

}  // namespace helio::train
