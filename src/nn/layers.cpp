#include "nn/layers.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/silu.h>

#include <algorithm>

#include "nn/fused.h"

namespace helio::nn {

at::Tensor rms_norm(const at::Tensor& x_NH, const at::Tensor& weight_H, double eps) {
  if (can_fuse(x_NH) && can_fuse(weight_H)) return fused_rms_norm(x_NH, weight_H, eps);
  const at::Tensor x = x_NH.to(at::kFloat);
  const at::Tensor scale = at::rsqrt((x * x).mean(-1, /*keepdim=*/true) + eps);
  return weight_H * (x * scale).to(x_NH.scalar_type());
}

at::Tensor rms_norm(const at::Tensor& x_NH, const at::Tensor& weight_H, double eps,
                    checkpoint::NormWeight kind) {
  using checkpoint::NormWeight;
  if (kind == NormWeight::rounded) return rms_norm(x_NH, weight_H, eps);
  // In f32 the three differ in nothing but the one.
  const at::Tensor weight = kind == NormWeight::plus_one ? weight_H.to(at::kFloat) + 1 : weight_H;
  if (x_NH.scalar_type() == at::kFloat) return rms_norm(x_NH, weight, eps);
  const at::Tensor x = x_NH.to(at::kFloat);
  const at::Tensor scale = at::rsqrt((x * x).mean(-1, /*keepdim=*/true) + eps);
  return (weight * (x * scale)).to(x_NH.scalar_type());
}

at::Tensor swiglu(const at::Tensor& gate_up_N2F) {
  if (can_fuse(gate_up_N2F)) return fused_swiglu(gate_up_N2F);
  const auto halves = gate_up_N2F.chunk(2, -1);
  return at::silu(halves[0]) * halves[1];
}

at::Tensor geglu(const at::Tensor& gate_up_N2F) {
  const auto halves = gate_up_N2F.chunk(2, -1);
  return at::gelu(halves[0], "tanh") * halves[1];
}

at::Tensor joint_linear(const at::Tensor& x_NH, const std::vector<at::Tensor>& weights,
                        const std::vector<at::Tensor>& biases) {
  const auto bias = [&](size_t i) {
    return biases.empty() ? std::optional<at::Tensor>() : std::optional(biases[i]);
  };
  if (weights.size() == 1) return at::linear(x_NH, weights[0], bias(0));
  constexpr int64_t kManyRows = 64;
  if (x_NH.size(0) >= kManyRows) {
    return at::linear(
        x_NH, at::cat(weights),
        biases.empty() ? std::optional<at::Tensor>() : std::optional(at::cat(biases)));
  }
  std::vector<at::Tensor> parts;
  for (size_t i = 0; i < weights.size(); ++i)
    parts.push_back(at::linear(x_NH, weights[i], bias(i)));
  return at::cat(parts, -1);
}

Rotation rope_rotation(const at::Tensor& frequencies, const at::Tensor& positions_N,
                       double factor) {
  const at::Tensor angles = at::outer(positions_N.reshape({-1}).to(at::kFloat), frequencies);
  if (factor == 1) return {.cos = angles.cos(), .sin = angles.sin()};
  return {.cos = angles.cos() * factor, .sin = angles.sin() * factor};
}

at::Tensor rope(const at::Tensor& x_NhD, const Rotation& rotation) {
  const int64_t half = rotation.cos.size(1), rest = x_NhD.size(-1) - 2 * half;
  const auto parts = x_NhD.split_with_sizes({half, half, rest}, -1);
  const at::Tensor cos = rotation.cos.to(x_NhD.scalar_type()).unsqueeze(1);
  const at::Tensor sin = rotation.sin.to(x_NhD.scalar_type()).unsqueeze(1);
  const at::Tensor first = parts[0] * cos - parts[1] * sin,
                   second = parts[1] * cos + parts[0] * sin;
  return rest == 0 ? at::cat({first, second}, -1) : at::cat({first, second, parts[2]}, -1);
}

namespace {

bool fits_kernels(const at::Tensor& qkv, const Rotation& rotation, const Heads& heads,
                  const std::vector<int64_t>& lengths, const AttentionRule& rule) {
  if (rule.scale != 0 || rule.softcap != 0 || 2 * rotation.cos.size(1) != heads.size) return false;
  if (rule.window != 0 && *std::max_element(lengths.begin(), lengths.end()) > rule.window)
    return false;
  return can_fuse_attention(qkv, heads);
}

// What stands before the branches, then each of them after it.
at::Tensor branched_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                              const AttentionRule& rule, const std::vector<int64_t>& starts) {
  if (starts.size() < 2) return causal_attention(q, k, v, rule);
  const int64_t shared = starts.front();
  const auto before = [&](const at::Tensor& x) { return x.slice(2, 0, shared); };
  std::vector<at::Tensor> out;
  if (shared > 0) out.push_back(causal_attention(before(q), before(k), before(v), rule));
  for (size_t b = 0; b < starts.size(); ++b) {
    const int64_t end = b + 1 < starts.size() ? starts[b + 1] : q.size(2);
    const auto own = [&](const at::Tensor& x) { return x.slice(2, starts[b], end); };
    out.push_back(causal_attention(own(q), at::cat({before(k), own(k)}, 2),
                                   at::cat({before(v), own(v)}, 2), rule));
  }
  return at::cat(out, 2);
}

}  // namespace

at::Tensor packed_attention(const at::Tensor& qkv, const Rotation& rotation, const Heads& heads,
                            const std::vector<int64_t>& lengths, const AttentionRule& rule,
                            const Branches& branches) {
  if (fits_kernels(qkv, rotation, heads, lengths, rule))
    return fused_attention(qkv, rotation, heads, lengths, branches);
  const int64_t tokens = qkv.size(0);
  const auto parts = qkv.view({tokens, heads.query + 2 * heads.key_value, heads.size})
                         .split_with_sizes({heads.query, heads.key_value, heads.key_value}, 1);
  const auto q = rope(parts[0], rotation).split_with_sizes(lengths);
  const auto k = rope(parts[1], rotation).split_with_sizes(lengths);
  const auto v = parts[2].split_with_sizes(lengths);
  std::vector<at::Tensor> out;
  out.reserve(lengths.size());
  for (size_t i = 0; i < lengths.size(); ++i) {
    const auto heads_first = [](const at::Tensor& x) { return x.transpose(0, 1).unsqueeze(0); };
    const auto starts = branches.empty() ? std::vector<int64_t>() : branches[i];
    const at::Tensor attended =
        branched_attention(heads_first(q[i]), heads_first(k[i]), heads_first(v[i]), rule, starts);
    out.push_back(
        attended.squeeze(0).transpose(0, 1).reshape({lengths[i], heads.query * heads.size}));
  }
  return out.size() == 1 ? out.front() : at::cat(out);
}

}  // namespace helio::nn
