// AOT (Melnyk et al. 2024) without pairs: the i-th smallest C against the i-th smallest R of what
// goes through the model at once, through DPO's loss.
#include <algorithm>
#include <numeric>

#include "train/objectives/pair_loss.h"

namespace helio::train {

HELIO_PAIR_LOSS(aot_unpaired) {
  const size_t count = batch.pairs.size();
  std::vector<size_t> chosen(count);
  std::iota(chosen.begin(), chosen.end(), size_t(0));
  std::vector<size_t> rejected = chosen;
  std::vector<PairTerms> terms;
  for (const PairSums& pair : batch.pairs) terms.push_back(terms_of(pair, o));
  std::stable_sort(chosen.begin(), chosen.end(),
                   [&](size_t a, size_t b) { return terms[a].C.value < terms[b].C.value; });
  std::stable_sort(rejected.begin(), rejected.end(),
                   [&](size_t a, size_t b) { return terms[a].R.value < terms[b].R.value; });
  std::vector<PairGradient> out(count);
  for (size_t i = 0; i < count; ++i) {
    const PairGradient g = gradient_of(
        smoothed(o.beta * (terms[chosen[i]].C - terms[rejected[i]].R), o.label_smoothing));
    out[chosen[i]].loss += g.loss;
    out[chosen[i]].chosen += g.chosen;
    out[rejected[i]].rejected += g.rejected;
  }
  return out;
}

}  // namespace helio::train
