#include "nn/layers.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/silu.h>

#include <cmath>
#include <numbers>

#include "core/error.h"
#include "nn/fused.h"

namespace helio::nn {

at::Tensor rms_norm(const at::Tensor& x_NH, const at::Tensor& weight_H, double eps) {
  if (can_fuse(x_NH) && can_fuse(weight_H)) return fused_rms_norm(x_NH, weight_H, eps);
  const at::Tensor x = x_NH.to(at::kFloat);
  const at::Tensor scale = at::rsqrt((x * x).mean(-1, /*keepdim=*/true) + eps);
  return weight_H * (x * scale).to(x_NH.scalar_type());
}

at::Tensor swiglu(const at::Tensor& gate_up_N2F) {
  if (can_fuse(gate_up_N2F)) return fused_swiglu(gate_up_N2F);
  const auto halves = gate_up_N2F.chunk(2, -1);
  return at::silu(halves[0]) * halves[1];
}

at::Tensor rope_frequencies(int64_t head_dim, double theta,
                            const checkpoint::RopeScaling& scaling) {
  const at::Tensor exponent =
      at::arange(0, head_dim, 2, at::TensorOptions(at::kFloat)) / static_cast<double>(head_dim);
  at::Tensor frequencies = at::pow(at::Scalar(theta), exponent).reciprocal();
  if (scaling.type == "default") return frequencies;
  if (scaling.type == "linear") return frequencies / scaling.factor;
  if (scaling.type != "llama3") {
    throw Error(ErrorKind::invalid, "rope_type '" + scaling.type + "' is not supported")
        .with_hint("supported: default, linear, llama3");
  }
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

Rotation rope_rotation(const at::Tensor& frequencies, const at::Tensor& positions_N) {
  const at::Tensor angles = at::outer(positions_N.reshape({-1}).to(at::kFloat), frequencies);
  return {.cos = angles.cos(), .sin = angles.sin()};
}

at::Tensor rope(const at::Tensor& x_NhD, const Rotation& rotation) {
  const auto halves = x_NhD.chunk(2, -1);
  const at::Tensor cos = rotation.cos.to(x_NhD.scalar_type()).unsqueeze(1);
  const at::Tensor sin = rotation.sin.to(x_NhD.scalar_type()).unsqueeze(1);
  return at::cat({halves[0] * cos - halves[1] * sin, halves[1] * cos + halves[0] * sin}, -1);
}

at::Tensor packed_attention(const at::Tensor& qkv, const Rotation& rotation, const Heads& heads,
                            const std::vector<int64_t>& lengths) {
  if (can_fuse_attention(qkv, heads)) return fused_attention(qkv, rotation, heads, lengths);
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
    const at::Tensor attended = at::scaled_dot_product_attention(
        heads_first(q[i]), heads_first(k[i]), heads_first(v[i]), {}, /*dropout_p=*/0.0,
        /*is_causal=*/true, std::nullopt, /*enable_gqa=*/true);
    out.push_back(
        attended.squeeze(0).transpose(0, 1).reshape({lengths[i], heads.query * heads.size}));
  }
  return out.size() == 1 ? out.front() : at::cat(out);
}

}  // namespace helio::nn
