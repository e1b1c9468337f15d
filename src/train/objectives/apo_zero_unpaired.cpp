// APO-zero for answers that need no pair: 1 - s(b C) for a desirable one, s(b R) for an undesirable
// one.
#include "train/objectives/pair_loss.h"

namespace helio::train {

HELIO_PAIR_LOSS(apo_zero_unpaired) {
  std::vector<PairGradient> out;
  for (const PairSums& pair : batch.pairs) {
    const PairTerms t = terms_of(pair, o);
    Dual loss;
    if (pair.has_chosen) loss = o.desirable_weight * (1 - sigmoid(o.beta * t.C));
    if (pair.has_rejected) loss = loss + o.undesirable_weight * sigmoid(o.beta * t.R);
    out.push_back(gradient_of(loss));
  }
  return out;
}

}  // namespace helio::train
