// DiscoPOP (Lu et al. 2024, equation 5), x = b d, m = s(x / tau):
// (1 - m) -log s(x) + m exp(-x).
#include "train/objectives/pair_loss.h"

namespace helio::train {

HELIO_PAIR_LOSS(discopop) {
  return for_each_pair(batch, o, [&](const PairTerms& t) {
    const Dual x = o.beta * t.margin(), m = sigmoid(x / o.discopop_tau);
    return -log_sigmoid(x) * (1 - m) + exp(-x) * m;
  });
}

}  // namespace helio::train
