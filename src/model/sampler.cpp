#include "model/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/error.h"

namespace helio::model {
namespace {

void refuse_nan(std::span<const float> logits) {
  for (const float value : logits) {
    if (!std::isnan(value)) continue;
    throw Error(ErrorKind::failed, "the model's logits are not numbers (NaN)")
        .with_hint("the weights are damaged or the training diverged: look at its loss");
  }
}

}  // namespace

text::TokenId sample(std::span<const float> logits, const SamplerOptions& options, Rng& rng) {
  HELIO_CHECK(!logits.empty(), "logits to sample from");
  refuse_nan(logits);
  if (options.temperature <= 0) {
    return static_cast<text::TokenId>(std::max_element(logits.begin(), logits.end()) -
                                      logits.begin());
  }
  // Most probable first; equals by id, so that the order is the same everywhere.
  std::vector<int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    const float left = logits[static_cast<size_t>(a)], right = logits[static_cast<size_t>(b)];
    return left != right ? left > right : a < b;
  });
  if (options.top_k > 0 && static_cast<size_t>(options.top_k) < order.size())
    order.resize(static_cast<size_t>(options.top_k));
  const double largest = logits[static_cast<size_t>(order.front())];
  std::vector<double> weights(order.size());
  for (size_t i = 0; i < order.size(); ++i)
    weights[i] = std::exp((logits[static_cast<size_t>(order[i])] - largest) / options.temperature);
  double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (options.top_p < 1) {
    const double wanted = options.top_p * total;
    double sum = 0;
    size_t kept = 0;
    while (kept < weights.size() && (kept == 0 || sum < wanted)) sum += weights[kept++];
    weights.resize(kept);
    total = sum;
  }
  double point = rng.uniform() * total;
  for (size_t i = 0; i < weights.size(); ++i) {
    point -= weights[i];
    if (point < 0) return order[i];
  }
  return order[weights.size() - 1];  // rounding left a hair
}

}  // namespace helio::model
