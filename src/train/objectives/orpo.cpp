// ORPO (Hong et al. 2024): the cross entropy of the chosen conversation, its prompt included, minus
// b log s(log odds(chosen) - log odds(rejected)), where an answer's probability is the geometric
// mean over its tokens. No reference.
#include "train/objectives/pair_loss.h"

namespace helio::train {

HELIO_PAIR_LOSS(orpo) {
  std::vector<PairGradient> out;
  for (const PairSums& pair : batch.pairs) {
    const PairTerms t = terms_of(pair, o);
    const Dual c = t.c / t.tokens_c, r = t.r / t.tokens_r;
    const Dual odds = (c - r) - (log1mexp(c) - log1mexp(r));
    const Dual whole = t.c + Dual(pair.prompt, 2);
    out.push_back(gradient_of(-whole / batch.whole_tokens - o.beta * log_sigmoid(odds)));
  }
  return out;
}

}  // namespace helio::train
