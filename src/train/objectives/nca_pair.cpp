// NCA (Chen et al. 2024): -log s(b C) - log s(-b C) / 2 - log s(-b R) / 2.
#include "train/objectives/pair_loss.h"

namespace helio::train {

HELIO_PAIR_LOSS(nca_pair) {
  return for_each_pair(batch, o, [&](const PairTerms& t) {
    const Dual c = o.beta * t.C, r = o.beta * t.R;
    return -log_sigmoid(c) - 0.5 * log_sigmoid(-c) - 0.5 * log_sigmoid(-r);
  });
}

}  // namespace helio::train
