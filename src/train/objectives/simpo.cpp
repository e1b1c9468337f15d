// SimPO (Meng et al. 2024): -log s(b (c / |c| - r / |r|) - gamma); no reference.
#include "train/objectives/pair_loss.h"

namespace helio::train {

HELIO_PAIR_LOSS(simpo) {
  return for_each_pair(batch, o, [&](const PairTerms& t) {
    return smoothed(o.beta * (t.c / t.tokens_c - t.r / t.tokens_r) - o.simpo_gamma,
                    o.label_smoothing);
  });
}

}  // namespace helio::train
