// The gradient noise scale (McCandlish et al. 2018, "An empirical model of large-batch training",
// appendix A.1): the batch size, in targets, beyond which larger batches bring little. Torch-free.
#pragma once

#include "core/json.h"

namespace helio::train {

class NoiseScale {
 public:
  // Squared norms of the mean gradient over `few` targets, and over all `many` of the same step.
  void add(double squared_norm_few, double few, double squared_norm_many, double many);
  bool known() const { return power_ > 0 && noise_ > 0; }
  double value() const { return noise_ / power_; }  // running means of both, over about 20 steps

  OrderedJson state() const { return {{"noise", noise_}, {"power", power_}, {"steps", steps_}}; }
  void restore(const Json& state);

 private:
  double noise_ = 0, power_ = 0;  // trace of the covariance of one target's gradient; |G|^2
  int64_t steps_ = 0;
};

}  // namespace helio::train
