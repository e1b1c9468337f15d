// APO-down (D'Oosterlinck et al. 2024, equation 8): s(b C) + 1 - s(b (C - R)).
#include "train/objectives/pair_loss.h"

namespace helio::train {

HELIO_PAIR_LOSS(apo_down) {
  return for_each_pair(batch, o, [&](const PairTerms& t) {
    return sigmoid(o.beta * t.C) + 1 - sigmoid(o.beta * (t.C - t.R));
  });
}

}  // namespace helio::train
