// Figures over seeds, and how sure they are. Torch-free.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/json.h"

namespace helio::train {

// Mean of n independent values and its 95 % interval: mean ± t(n - 1) * s / sqrt(n), with Student's
// two-sided quantile t and s the deviation with n - 1. One value has neither.
struct Spread {
  int64_t n = 0;
  double mean = 0;
  std::optional<double> deviation = {}, low = {}, high = {};
  OrderedJson json() const;  // {"n", "mean", "deviation", "low", "high"}; null where not known
};
Spread spread_of(const std::vector<double>& values);

// Student's t: 95 % of the distribution with so many degrees of freedom (from 1) lie within ±t.
double student_t95(int64_t degrees);

}  // namespace helio::train
