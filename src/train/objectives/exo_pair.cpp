// EXO (Ji et al. 2024, equation 16) for two answers: the reverse KL from (1 - e, e) to
// (s(b d), s(-b d)). e must be above 0.
#include "train/objectives/pair_loss.h"

namespace helio::train {

HELIO_PAIR_LOSS(exo_pair) {
  return for_each_pair(batch, o, [&](const PairTerms& t) {
    const Dual x = o.beta * t.margin();
    return sigmoid(x) * (log_sigmoid(x) - std::log1p(-o.label_smoothing)) +
           sigmoid(-x) * (log_sigmoid(-x) - std::log(o.label_smoothing));
  });
}

}  // namespace helio::train
