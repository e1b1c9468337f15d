// CPO (Xu et al. 2024): DPO's loss without a reference, -log s(b (c - r)), and cpo_alpha times the
// cross entropy of the chosen answers.
#include "train/objectives/pair_loss.h"

namespace helio::train {

HELIO_PAIR_LOSS(cpo) {
  return for_each_pair(batch, o, [&](const PairTerms& t) {
    return smoothed(o.beta * (t.c - t.r), o.label_smoothing) -
           o.cpo_alpha * t.c / batch.chosen_tokens;
  });
}

}  // namespace helio::train
