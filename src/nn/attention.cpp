// Causal attention with every rule the families know, out of ATen's operators.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "nn/layers.h"

namespace helio::nn {
namespace {

constexpr int64_t kBlock = 256;  // queries whose scores exist at one time

std::optional<double> scale_of(const AttentionRule& rule) {
  return rule.scale == 0 ? std::nullopt : std::optional(rule.scale);
}

// Queries [first, last) and keys [oldest, end), all by position: who sees whom, [t, L].
at::Tensor visible(int64_t first, int64_t last, int64_t oldest, int64_t end, int64_t window) {
  const auto options = at::TensorOptions(at::kLong);
  const at::Tensor back =
      at::arange(first, last, options).unsqueeze(1) - at::arange(oldest, end, options);
  return window == 0 ? back >= 0 : (back >= 0) & (back < window);
}

at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                  const std::optional<at::Tensor>& mask, const AttentionRule& rule) {
  if (rule.softcap == 0) {
    return at::scaled_dot_product_attention(q, k, v, mask, /*dropout_p=*/0.0, /*is_causal=*/false,
                                            scale_of(rule), /*enable_gqa=*/true);
  }
  // Queries of one key/value head side by side: [B, K, G t, D].
  const int64_t rows = q.size(0), kv = k.size(1), group = q.size(1) / kv, fresh = q.size(2);
  const double scale = scale_of(rule).value_or(1 / std::sqrt(static_cast<double>(q.size(3))));
  const at::Tensor grouped = q.reshape({rows, kv, group * fresh, q.size(3)});
  at::Tensor scores = at::matmul(grouped, k.transpose(2, 3)) * scale;
  scores = (scores / rule.softcap).tanh() * rule.softcap;
  scores = scores.view({rows, kv, group, fresh, k.size(2)});
  if (mask)
    scores = scores.masked_fill(mask->logical_not(), -std::numeric_limits<double>::infinity());
  const at::Tensor weights = at::softmax(scores, -1, at::kFloat).to(q.scalar_type());
  return at::matmul(weights.view({rows, kv, group * fresh, k.size(2)}), v)
      .view({rows, q.size(1), fresh, q.size(3)});
}

}  // namespace

at::Tensor causal_attention(const at::Tensor& q_BQtD, const at::Tensor& k_BKLD,
                            const at::Tensor& v_BKLD, const AttentionRule& rule) {
  const int64_t fresh = q_BQtD.size(2), total = k_BKLD.size(2), past = total - fresh;
  const bool all = rule.window == 0 || total <= rule.window;
  if (all && rule.softcap == 0) {
    // Token i of the new ones sees everything before them and the new ones up to itself.
    const auto mask =
        fresh > 1 && past > 0 ? std::optional(visible(past, total, 0, total, 0)) : std::nullopt;
    return at::scaled_dot_product_attention(q_BQtD, k_BKLD, v_BKLD, mask, /*dropout_p=*/0.0,
                                            /*is_causal=*/fresh > 1 && past == 0, scale_of(rule),
                                            /*enable_gqa=*/true);
  }
  // A block of queries at a time, with the keys that any of them sees.
  std::vector<at::Tensor> out;
  for (int64_t first = 0; first < fresh; first += kBlock) {
    const int64_t last = std::min(first + kBlock, fresh), end = past + last;
    const int64_t oldest = all ? 0 : std::max<int64_t>(0, past + first - rule.window + 1);
    const auto mask = last - first > 1
                          ? std::optional(visible(past + first, end, oldest, end, rule.window))
                          : std::nullopt;
    out.push_back(attend(q_BQtD.slice(2, first, last), k_BKLD.slice(2, oldest, end),
                         v_BKLD.slice(2, oldest, end), mask, rule));
  }
  return out.size() == 1 ? out.front() : at::cat(out, 2);
}

}  // namespace helio::nn
