#include "nn/rotary.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/pow.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"

namespace helio::nn {
namespace {

using checkpoint::RopeScaling;

// theta^(2i/R)
at::Tensor wavelengths(int64_t rotating, double theta) {
  const at::Tensor exponent =
      at::arange(0, rotating, 2, at::TensorOptions(at::kFloat)) / static_cast<double>(rotating);
  return at::pow(at::Scalar(theta), exponent);
}

at::Tensor llama3(at::Tensor frequencies, const RopeScaling& scaling) {
  const double original = static_cast<double>(scaling.original_max_position);
  const double longest = original / scaling.low_freq_factor;
  const double shortest = original / scaling.high_freq_factor;
  float* f = frequencies.mutable_data_ptr<float>();
  for (int64_t i = 0; i < frequencies.numel(); ++i) {
    const double wavelength = 2 * std::numbers::pi / static_cast<double>(f[i]);
    if (wavelength < shortest) continue;
    if (wavelength > longest) {
      f[i] = static_cast<float>(f[i] / scaling.factor);
      continue;
    }
    const double smooth = (original / wavelength - scaling.low_freq_factor) /
                          (scaling.high_freq_factor - scaling.low_freq_factor);
    f[i] = static_cast<float>((1 - smooth) * f[i] / scaling.factor + smooth * f[i]);
  }
  return frequencies;
}

// Peng et al. 2023, "YaRN", section 3.2: dimensions that turn often keep their frequency, those
// that turn less than once are interpolated, a ramp between.
at::Tensor yarn(int64_t rotating, double theta, const RopeScaling& scaling) {
  const auto dimension_of = [&](double turns) {
    const double length = static_cast<double>(scaling.original_max_position);
    return static_cast<double>(rotating) * std::log(length / (turns * 2 * std::numbers::pi)) /
           (2 * std::log(theta));
  };
  double low = dimension_of(scaling.beta_fast), high = dimension_of(scaling.beta_slow);
  if (scaling.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(rotating - 1));
  if (low == high) high += 0.001;
  const at::Tensor waves = wavelengths(rotating, theta);
  const at::Tensor ramp =
      ((at::arange(rotating / 2, at::TensorOptions(at::kFloat)) - low) / (high - low)).clamp(0, 1);
  const at::Tensor kept = 1 - ramp;
  return (waves * scaling.factor).reciprocal() * (1 - kept) + waves.reciprocal() * kept;
}

at::Tensor longrope(int64_t rotating, double theta, const RopeScaling& scaling, int64_t length) {
  const auto& factors =
      length > scaling.original_max_position ? scaling.long_factor : scaling.short_factor;
  HELIO_CHECK(static_cast<int64_t>(factors.size()) == rotating / 2, "a factor for each frequency");
  at::Tensor scale = at::empty({rotating / 2}, at::TensorOptions(at::kFloat));
  std::copy(factors.begin(), factors.end(), scale.mutable_data_ptr<float>());
  return (scale * wavelengths(rotating, theta)).reciprocal();
}

// In f32, as transformers computes it from the length, a tensor there.
double dynamic_theta(int64_t rotating, double theta, const RopeScaling& scaling, int64_t length) {
  const int64_t original = scaling.original_max_position;
  const float stretch = static_cast<float>(scaling.factor) *
                            static_cast<float>(std::max(length, original)) /
                            static_cast<float>(original) -
                        static_cast<float>(scaling.factor - 1);
  const double exponent = static_cast<double>(rotating) / static_cast<double>(rotating - 2);
  return static_cast<float>(theta) * std::pow(stretch, static_cast<float>(exponent));
}

}  // namespace

at::Tensor rope_frequencies(int64_t rotating, double theta, const RopeScaling& scaling,
                            int64_t length) {
  if (scaling.type == "yarn") return yarn(rotating, theta, scaling);
  if (scaling.type == "longrope") return longrope(rotating, theta, scaling, length);
  if (scaling.type == "dynamic")
    return wavelengths(rotating, dynamic_theta(rotating, theta, scaling, length)).reciprocal();
  at::Tensor frequencies = wavelengths(rotating, theta).reciprocal();
  if (scaling.type == "default") return frequencies;
  if (scaling.type == "linear") return frequencies / scaling.factor;
  if (scaling.type == "llama3") return llama3(std::move(frequencies), scaling);
  throw Error(ErrorKind::invalid, "rope_type '" + scaling.type + "' is not supported")
      .with_hint("supported: default, linear, dynamic, llama3, yarn, longrope");
}

double rope_attention_factor(const RopeScaling& scaling) {
  if (scaling.type != "yarn" && scaling.type != "longrope") return 1;
  if (scaling.attention_factor) return *scaling.attention_factor;
  if (scaling.factor <= 1) return 1;
  const double growth = std::log(scaling.factor);
  if (scaling.type == "longrope")
    return std::sqrt(1 + growth / std::log(static_cast<double>(scaling.original_max_position)));
  if (scaling.mscale && scaling.mscale_all_dim)
    return (0.1 * *scaling.mscale * growth + 1) / (0.1 * *scaling.mscale_all_dim * growth + 1);
  return 0.1 * growth + 1;
}

Rotary::Rotary(int64_t rotating, double theta, RopeScaling scaling)
    : rotating_(rotating),
      theta_(theta),
      factor_(rope_attention_factor(scaling)),
      scaling_(std::move(scaling)) {
  if (!scaling_.follows_length()) frequencies_ = rope_frequencies(rotating_, theta_, scaling_);
}

Rotation Rotary::rotation(const at::Tensor& positions_N,
                          const std::vector<int64_t>& lengths) const {
  if (frequencies_.defined()) return rope_rotation(frequencies_, positions_N, factor_);
  std::vector<at::Tensor> cos, sin;
  for (const at::Tensor& positions : positions_N.reshape({-1}).split_with_sizes(lengths)) {
    const int64_t length = positions.numel() == 0 ? 0 : positions.max().item<int64_t>() + 1;
    const Rotation one =
        rope_rotation(rope_frequencies(rotating_, theta_, scaling_, length), positions, factor_);
    cos.push_back(one.cos);
    sin.push_back(one.sin);
  }
  return {.cos = at::cat(cos), .sin = at::cat(sin)};
}

bool Rotary::alike(int64_t length, int64_t other) const {
  const int64_t original = scaling_.original_max_position;
  if (scaling_.type == "longrope") return (length > original) == (other > original);
  if (scaling_.type == "dynamic") return std::max(length, original) == std::max(other, original);
  return true;
}

}  // namespace helio::nn
