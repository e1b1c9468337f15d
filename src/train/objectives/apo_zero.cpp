// APO-zero (D'Oosterlinck et al. 2024, equation 7): 1 - s(b C) + s(b R).
#include "train/objectives/pair_loss.h"

namespace helio::train {

HELIO_PAIR_LOSS(apo_zero) {
  return for_each_pair(batch, o, [&](const PairTerms& t) {
    return 1 - sigmoid(o.beta * t.C) + sigmoid(o.beta * t.R);
  });
}

}  // namespace helio::train
