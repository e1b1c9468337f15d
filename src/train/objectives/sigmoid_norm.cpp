// DPO with log-ratios per token (Tulu 3, Lambert et al. 2024): -log s(b (C / |c| - R / |r|)).
#include "train/objectives/pair_loss.h"

namespace helio::train {

HELIO_PAIR_LOSS(sigmoid_norm) {
  return for_each_pair(batch, o, [&](const PairTerms& t) {
    return -log_sigmoid(o.beta * (t.score_c / t.tokens_c - t.score_r / t.tokens_r));
  });
}

}  // namespace helio::train
