// Cross entropy of the chosen answers, a mean over their tokens (RPO's SFT term).
#include "train/objectives/pair_loss.h"

namespace helio::train {

HELIO_PAIR_LOSS(sft) {
  return for_each_pair(batch, o, [&](const PairTerms& t) { return -t.c / batch.chosen_tokens; });
}

}  // namespace helio::train
