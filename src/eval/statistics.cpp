#include "eval/statistics.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace helio::eval {
namespace {

constexpr double kNormal95 = 1.959963984540054;

void symmetric_interval(Estimate& estimate) {
  if (estimate.stderr_) {
    const double half = kNormal95 * *estimate.stderr_;
    estimate.interval = {estimate.value - half, estimate.value + half};
  }
}

}  // namespace

Estimate mean(const std::vector<double>& values) {
  Estimate out{.n = static_cast<int64_t>(values.size())};
  if (values.empty()) return out;
  const auto n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double value : values) sum += value;
  out.value = sum / n;
  for (const double value : values) squares += (value - out.value) * (value - out.value);
  if (values.size() > 1) out.stderr_ = std::sqrt(squares / (n - 1)) / std::sqrt(n);
  symmetric_interval(out);
  return out;
}

Estimate ratio(const std::vector<Judged::Value>& values) {
  Estimate out{.n = static_cast<int64_t>(values.size())};
  double value = 0, weight = 0, squares = 0;
  for (const auto& v : values) {
    value += v.value;
    weight += v.weight;
  }
  if (weight <= 0) return out;
  out.value = value / weight;
  for (const auto& v : values)
    squares += (v.value - out.value * v.weight) * (v.value - out.value * v.weight);
  const auto n = static_cast<double>(values.size());
  if (values.size() > 1) out.stderr_ = std::sqrt(squares * n / (n - 1)) / weight;
  symmetric_interval(out);
  return out;
}

Estimate proportion(int64_t successes, int64_t n) {
  Estimate out{.n = n};
  if (n == 0) return out;
  const auto size = static_cast<double>(n);
  const double p = static_cast<double>(successes) / size, z2 = kNormal95 * kNormal95;
  out.value = p;
  if (n > 1) out.stderr_ = std::sqrt(p * (1 - p) / (size - 1));
  const double middle = (p + z2 / (2 * size)) / (1 + z2 / size);
  const double half =
      kNormal95 / (1 + z2 / size) * std::sqrt(p * (1 - p) / size + z2 / (4 * size * size));
  out.interval = {std::max(0.0, middle - half), std::min(1.0, middle + half)};
  return out;
}

Estimate pooled(const std::vector<Estimate>& parts) {
  Estimate out;
  double sum = 0, squares = 0, groups = 0;
  bool known = true;
  for (const Estimate& part : parts) {
    if (part.n == 0) continue;
    const auto n = static_cast<double>(part.n);
    out.n += part.n;
    groups += 1;
    sum += part.value * n;
    known = known && (part.stderr_ || part.n == 1);
    if (part.stderr_) squares += (n - 1) * *part.stderr_ * *part.stderr_ * n;
  }
  if (out.n == 0) return out;
  const auto all = static_cast<double>(out.n);
  out.value = sum / all;
  if (known && all > groups) out.stderr_ = std::sqrt(squares / (all - groups) / all);
  symmetric_interval(out);
  return out;
}

Estimate macro_f1(const std::vector<std::pair<int64_t, int64_t>>& pairs) {
  struct Counts {
    double right = 0, gold = 0, predicted = 0;
  };
  std::map<int64_t, Counts> labels;
  for (const auto& [gold, predicted] : pairs) {
    ++labels[gold].gold;
    ++labels[predicted].predicted;
    if (gold == predicted) ++labels[gold].right;
  }
  Estimate out{.n = static_cast<int64_t>(pairs.size())};
  for (const auto& [label, c] : labels) out.value += 2 * c.right / (c.gold + c.predicted);
  if (!labels.empty()) out.value /= static_cast<double>(labels.size());
  return out;
}

Estimate mean_of(const std::vector<Estimate>& tasks) {
  Estimate out;
  if (tasks.empty()) return out;
  double squares = 0;
  bool known = true;
  for (const Estimate& task : tasks) {
    out.value += task.value;
    out.n += task.n;
    known = known && task.stderr_;
    squares += task.stderr_ ? *task.stderr_ * *task.stderr_ : 0;
  }
  const auto count = static_cast<double>(tasks.size());
  out.value /= count;
  if (known) out.stderr_ = std::sqrt(squares) / count;
  symmetric_interval(out);
  return out;
}

bool at_chance(const Estimate& estimate, double chance) {
  return std::abs(estimate.value - chance) <= 2 * estimate.stderr_.value_or(1);
}

OrderedJson json(const Estimate& estimate) {
  OrderedJson out = {{"value", estimate.value}};
  out["stderr"] = estimate.stderr_ ? OrderedJson(*estimate.stderr_) : OrderedJson();
  out["interval95"] = estimate.interval
                          ? OrderedJson({estimate.interval->low, estimate.interval->high})
                          : OrderedJson();
  return out;
}

}  // namespace helio::eval
