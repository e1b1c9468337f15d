#include "train/spike_guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace helio::train {
namespace {

constexpr size_t kRemembered = 32, kFewest = 8;
constexpr double kDeviations = 1.4826;  // of a normal distribution, in medians of distances
constexpr double kLeastRise = 0.1;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void remember(std::vector<double>& values, double value) {
  if (values.size() == kRemembered) values.erase(values.begin());
  values.push_back(value);
}

}  // namespace

std::string SpikeGuard::judge(double loss, double grad_norm) {
  if (factor_ == 0) return {};
  std::string found;
  if (norms_.size() >= kFewest) {
    const double usual_norm = median(norms_), usual_loss = median(losses_);
    std::vector<double> distances = losses_;
    for (double& value : distances) value = std::abs(value - usual_loss);
    const double room = std::max(factor_ * kDeviations * median(std::move(distances)),
                                 kLeastRise * std::abs(usual_loss));
    if (grad_norm > factor_ * usual_norm)
      found =
          fmt::format("the gradient's norm is {:.4g}, {:.1f} times the median of the last {} steps",
                      grad_norm, grad_norm / usual_norm, norms_.size());
    else if (loss > usual_loss + room)
      found = fmt::format("the loss is {:.4f}, the median of the last {} steps {:.4f}", loss,
                          losses_.size(), usual_loss);
  }
  if (!found.empty()) {
    ++spikes_;
    ++in_a_row_;
    return found;
  }
  in_a_row_ = 0;
  remember(losses_, loss);
  remember(norms_, grad_norm);
  return {};
}

OrderedJson SpikeGuard::state() const {
  return {{"losses", losses_}, {"norms", norms_}, {"spikes", spikes_}, {"in_a_row", in_a_row_}};
}

void SpikeGuard::restore(const Json& state) {
  losses_ = state.at("losses").get<std::vector<double>>();
  norms_ = state.at("norms").get<std::vector<double>>();
  spikes_ = state.at("spikes").get<int64_t>();
  in_a_row_ = state.at("in_a_row").get<int64_t>();
}

}  // namespace helio::train
