// DPO (Rafailov et al. 2023, equation 7): -log s(b d). With label_smoothing it is conservative DPO
// (Mitchell 2023), which TRL 1.16 no longer computes under this name.
#include "train/objectives/pair_loss.h"

namespace helio::train {

HELIO_PAIR_LOSS(sigmoid) {
  return for_each_pair(batch, o, [&](const PairTerms& t) {
    return smoothed(o.beta * t.margin(), o.label_smoothing);
  });
}

}  // namespace helio::train
