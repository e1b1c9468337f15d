// A hinge on the margin (SLiC-HF, Zhao et al. 2023; RSO, Liu et al. 2023): max(0, 1 - b d).
#include "train/objectives/pair_loss.h"

namespace helio::train {

HELIO_PAIR_LOSS(hinge) {
  return for_each_pair(batch, o, [&](const PairTerms& t) { return relu(1 - o.beta * t.margin()); });
}

}  // namespace helio::train
