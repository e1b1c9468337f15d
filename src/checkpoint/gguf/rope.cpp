#include "checkpoint/gguf/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace helio::checkpoint {

std::vector<float> llama3_factors(const Llama3Scaling& scaling, double theta, int64_t head_dim) {
  const auto context = static_cast<double>(scaling.original_max_position);
  const double low = context / scaling.low_freq_factor, high = context / scaling.high_freq_factor;
  std::vector<float> out;
  for (int64_t i = 0; i < head_dim; i += 2) {
    // Frequencies are f32 there.
    const float exponent = static_cast<float>(i) / static_cast<float>(head_dim);
    const float frequency = 1.0f / static_cast<float>(std::pow(theta, double(exponent)));
    const double wave = 2 * std::numbers::pi / static_cast<double>(frequency);
    if (wave < high) {
      out.push_back(1);
    } else if (wave > low) {
      out.push_back(static_cast<float>(scaling.factor));
    } else {
      const double smooth = (context / wave - scaling.low_freq_factor) /
                            (scaling.high_freq_factor - scaling.low_freq_factor);
      out.push_back(static_cast<float>(1 / ((1 - smooth) / scaling.factor + smooth)));
    }
  }
  return out;
}

std::optional<Llama3Scaling> find_llama3_scaling(std::span<const float> factors, double theta) {
  if (factors.empty()) return std::nullopt;
  const double factor = static_cast<double>(*std::max_element(factors.begin(), factors.end()));
  for (const int64_t context : {8192, 4096, 2048, 16384, 32768})
    for (const double high : {4.0, 2.0, 8.0}) {
      const Llama3Scaling tried{
          .factor = factor, .high_freq_factor = high, .original_max_position = context};
      const auto made = llama3_factors(tried, theta, 2 * static_cast<int64_t>(factors.size()));
      bool same = true;
      for (size_t i = 0; i < made.size() && same; ++i)
        same = std::fabs(made[i] - factors[i]) <= 1e-5f * made[i];
      if (same) return tried;
    }
  return std::nullopt;
}

}  // namespace helio::checkpoint
