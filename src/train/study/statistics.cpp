#include "train/study/statistics.h"

#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "core/error.h"

namespace helio::train {

double student_t95(int64_t degrees) {
  HELIO_CHECK(degrees >= 1, "Student's t has a degree of freedom at least");
  return boost::math::quantile(boost::math::students_t(static_cast<double>(degrees)), 0.975);
}

Spread spread_of(const std::vector<double>& values) {
  Spread spread{.n = static_cast<int64_t>(values.size())};
  if (values.empty()) return spread;
  const auto n = static_cast<double>(values.size());
  for (const double value : values) spread.mean += value / n;
  if (values.size() < 2) return spread;
  double squares = 0;
  for (const double value : values) squares += (value - spread.mean) * (value - spread.mean);
  spread.deviation = std::sqrt(squares / (n - 1));
  const double half = student_t95(spread.n - 1) * *spread.deviation / std::sqrt(n);
  spread.low = spread.mean - half;
  spread.high = spread.mean + half;
  return spread;
}

OrderedJson Spread::json() const {
  const auto known = [](const std::optional<double>& value) {
    return value ? OrderedJson(*value) : OrderedJson(nullptr);
  };
  return {{"n", n},
          {"mean", n > 0 ? OrderedJson(mean) : OrderedJson(nullptr)},
          {"deviation", known(deviation)},
          {"low", known(low)},
          {"high", known(high)}};
}

}  // namespace helio::train
