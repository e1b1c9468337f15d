#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "core/error.h"

namespace helio::train {

Schedule::Schedule(Options options) : options_(std::move(options)) {
  const std::string& shape = options_.shape;
  HELIO_CHECK(shape == "cosine" || shape == "linear" || shape == "constant" || shape == "wsd",
              "no schedule '" + shape + "'");
  warmup_ =
      static_cast<int64_t>(std::ceil(options_.warmup_ratio * static_cast<double>(options_.steps)));
  decay_ = std::min(
      options_.steps - warmup_,
      static_cast<int64_t>(std::ceil(options_.decay_ratio * static_cast<double>(options_.steps))));
}

double Schedule::at(int64_t step) const {
  const int64_t taken = step - 1;
  if (taken < warmup_)
    return options_.peak * static_cast<double>(taken) /
           static_cast<double>(std::max<int64_t>(1, warmup_));
  if (options_.shape == "constant") return options_.peak;
  if (options_.shape == "wsd") {
    const int64_t into = taken - (options_.steps - decay_);
    if (into < 0) return options_.peak;
    const double share =
        1 - std::sqrt(std::min(1.0, static_cast<double>(into) /
                                        static_cast<double>(std::max<int64_t>(1, decay_))));
    return options_.peak * (options_.min_ratio + (1 - options_.min_ratio) * share);
  }
  const double done =
      std::min(1.0, static_cast<double>(taken - warmup_) /
                        static_cast<double>(std::max<int64_t>(1, options_.steps - warmup_)));
  const double share =
      options_.shape == "linear" ? 1 - done : 0.5 * (1 + std::cos(std::numbers::pi * done));
  return options_.peak * (options_.min_ratio + (1 - options_.min_ratio) * share);
}

}  // namespace helio::train
