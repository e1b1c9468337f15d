// Steps whose loss or gradient stands out from the steps before: a broken document, a bug, a rate
// that is too high. Torch-free.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/json.h"

namespace helio::train {

// The rule, over the last 32 steps that were taken (none is a spike before the ninth):
//   gradient  norm > factor * median of their norms
//   loss      loss > median + factor * 1.4826 * median of their losses' distances from it, and by
//             more than a tenth of the median (a loss that hardly moves is no measure)
class SpikeGuard {
 public:
  explicit SpikeGuard(double factor) : factor_(factor) {}  // 0: nothing is a spike

  // What stands out about a step, empty when nothing does; then the step is remembered.
  std::string judge(double loss, double grad_norm);

  int64_t spikes() const { return spikes_; }
  int64_t in_a_row() const { return in_a_row_; }

  OrderedJson state() const;
  void restore(const Json& state);

 private:
  double factor_;
  std::vector<double> losses_ = {}, norms_ = {};  // oldest first
  int64_t spikes_ = 0, in_a_row_ = 0;
};

}  // namespace helio::train
