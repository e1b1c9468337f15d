// SPPO with hard preferences (Wu et al. 2024, equation 4.7): (C - 1 / (2 b))^2 + (R + 1 / (2 b))^2.
#include "train/objectives/pair_loss.h"

namespace helio::train {

HELIO_PAIR_LOSS(sppo_hard) {
  return for_each_pair(batch, o, [&](const PairTerms& t) {
    return square(t.C - 0.5 / o.beta) + square(t.R + 0.5 / o.beta);
  });
}

}  // namespace helio::train
