// IPO (Azar et al. 2023, equation 17) with log-ratios per token:
// (C / |c| - R / |r| - 1 / (2 b))^2.
#include "train/objectives/pair_loss.h"

namespace helio::train {

HELIO_PAIR_LOSS(ipo) {
  return for_each_pair(batch, o, [&](const PairTerms& t) {
    return square(t.score_c / t.tokens_c - t.score_r / t.tokens_r - 1 / (2 * o.beta));
  });
}

}  // namespace helio::train
