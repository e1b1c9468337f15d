#include "train/noise_scale.h"

#include <algorithm>

namespace helio::train {

void NoiseScale::add(double squared_norm_few, double few, double squared_norm_many, double many) {
  if (few >= many) return;
  const double power = (many * squared_norm_many - few * squared_norm_few) / (many - few);
  const double noise = (squared_norm_few - squared_norm_many) / (1 / few - 1 / many);
  ++steps_;
  const double share = std::max(0.05, 1 / static_cast<double>(steps_));
  power_ += share * (power - power_);
  noise_ += share * (noise - noise_);
}

void NoiseScale::restore(const Json& state) {
  noise_ = state.at("noise").get<double>();
  power_ = state.at("power").get<double>();
  steps_ = state.at("steps").get<int64_t>();
}

}  // namespace helio::train
