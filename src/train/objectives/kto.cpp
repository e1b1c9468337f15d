// KTO (Ethayarajh et al. 2024, equation 7), for answers that need no pair: 1 - s(b (C - kl)) for a
// desirable one, 1 - s(b (kl - R)) for an undesirable one. kl is estimated from answers to other
// prompts and has no gradient.
#include "train/objectives/pair_loss.h"

namespace helio::train {

HELIO_PAIR_LOSS(kto) {
  std::vector<PairGradient> out;
  for (const PairSums& pair : batch.pairs) {
    const PairTerms t = terms_of(pair, o);
    Dual loss;
    if (pair.has_chosen) loss = o.desirable_weight * (1 - sigmoid(o.beta * (t.C - batch.kl)));
    if (pair.has_rejected)
      loss = loss + o.undesirable_weight * (1 - sigmoid(o.beta * (batch.kl - t.R)));
    out.push_back(gradient_of(loss));
  }
  return out;
}

}  // namespace helio::train
