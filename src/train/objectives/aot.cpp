// AOT (Melnyk et al. 2024) for pairs: the i-th smallest of c - r against the i-th smallest of
// c' - r' of what goes through the model at once, through DPO's loss.
#include <algorithm>
#include <numeric>

#include "train/objectives/pair_loss.h"

namespace helio::train {

HELIO_PAIR_LOSS(aot) {
  const size_t count = batch.pairs.size();
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t(0));
  const auto policy = [&](size_t i) { return batch.pairs[i].chosen - batch.pairs[i].rejected; };
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return policy(a) < policy(b); });
  std::vector<double> reference;
  for (const PairSums& pair : batch.pairs)
    reference.push_back(pair.reference_chosen - pair.reference_rejected);
  std::sort(reference.begin(), reference.end());
  std::vector<PairGradient> out(count);
  for (size_t i = 0; i < count; ++i) {
    const PairTerms t = terms_of(batch.pairs[order[i]], o);
    out[order[i]] = gradient_of(smoothed(o.beta * (t.c - t.r - reference[i]), o.label_smoothing));
  }
  return out;
}

}  // namespace helio::train
