// BCO (Jung et al. 2024) without its running shift, as TRL has it: -log s(b C) - log s(-b R).
#include "train/objectives/pair_loss.h"

namespace helio::train {

HELIO_PAIR_LOSS(bco_pair) {
  return for_each_pair(batch, o, [&](const PairTerms& t) {
    return -log_sigmoid(o.beta * t.C) - log_sigmoid(-(o.beta * t.R));
  });
}

}  // namespace helio::train
