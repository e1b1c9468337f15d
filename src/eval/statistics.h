// Figures and how sure they are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/json.h"
#include "eval/task.h"

namespace helio::eval {

struct Interval {
  double low = 0, high = 0;
};

struct Estimate {
  double value = 0;
  std::optional<double> stderr_ = {};     // nothing when one item cannot say
  std::optional<Interval> interval = {};  // 95 %
  int64_t n = 0;
};

// Mean and its standard error: sqrt(sum (x - mean)^2 / (n - 1)) / sqrt(n), as
// lm-evaluation-harness.
Estimate mean(const std::vector<double>& values);

// Sum of values over sum of weights (bits over bytes), its standard error by linearisation:
// sqrt(n / (n - 1) * sum (value - ratio * weight)^2) / sum of weights.
Estimate ratio(const std::vector<Judged::Value>& values);

// Share of successes with Wilson's interval (Wilson 1927), which stays inside [0, 1] and is honest
// for few items and for shares near 0 and 1.
Estimate proportion(int64_t successes, int64_t n);

// The mean of parts weighted by their size. Its standard error pools the parts' as
// lm-evaluation-harness does: sqrt(sum (n_k - 1) * n_k * se_k^2 / (N - K) / N).
Estimate pooled(const std::vector<Estimate>& parts);

// The mean of F1 over the choices that are gold or predicted somewhere, as scikit-learn's
// f1_score(average="macro"). Pairs of (gold, predicted). No standard error.
Estimate macro_f1(const std::vector<std::pair<int64_t, int64_t>>& pairs);

// The plain mean of tasks, each of independent items: sqrt(sum se^2) / their number.
Estimate mean_of(const std::vector<Estimate>& tasks);

// Is the score no further than two standard errors from a guess?
bool at_chance(const Estimate& estimate, double chance);

OrderedJson json(const Estimate& estimate);

}  // namespace helio::eval
