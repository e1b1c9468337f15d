// Robust DPO (Chowdhury et al. 2024): DPO made unbiased for a share e of flipped preferences,
// (-(1 - e) log s(b d) + e log s(-b d)) / (1 - 2 e).
#include "train/objectives/pair_loss.h"

namespace helio::train {

HELIO_PAIR_LOSS(robust) {
  return for_each_pair(batch, o, [&](const PairTerms& t) {
    const Dual x = o.beta * t.margin();
    return ((o.label_smoothing - 1) * log_sigmoid(x) + o.label_smoothing * log_sigmoid(-x)) /
           (1 - 2 * o.label_smoothing);
  });
}

}  // namespace helio::train
