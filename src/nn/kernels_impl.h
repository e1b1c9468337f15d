// The kernels' source, included once for each instruction set (see kernels_avx512.cpp). Everything
// has internal linkage, and no header but kernels.h is used: a function shared with other files
// could be linked into them and run on a processor that lacks the instructions.
// NOLINTBEGIN(llvm-header-guard): included once a file, on purpose without a guard

#ifndef HELIO_LANES
#error "kernels_impl.h is included by kernels_avx512.cpp and kernels_avx2.cpp only"
#endif

namespace helio::nn {
namespace {

constexpr int64_t kLanes = HELIO_LANES;
// A vector of floats, and one that may stand at any address.
typedef float Vector __attribute__((vector_size(4 * HELIO_LANES)));
typedef float Loose __attribute__((vector_size(4 * HELIO_LANES), aligned(4), may_alias));
typedef int32_t Ints __attribute__((vector_size(4 * HELIO_LANES)));

inline Vector load(const float* p) { return *reinterpret_cast<const Loose*>(p); }
inline void store(float* p, Vector v) { *reinterpret_cast<Loose*>(p) = v; }
inline Vector splat(float value) { return Vector{} + value; }
// The last `count` < kLanes floats of a row; the other lanes are `fill`.
inline Vector load_part(const float* p, int64_t count, float fill = 0) {
  Vector v = splat(fill);
  for (int64_t i = 0; i < count; ++i) v[i] = p[i];
  return v;
}
inline void store_part(float* p, Vector v, int64_t count) {
  for (int64_t i = 0; i < count; ++i) p[i] = v[i];
}
inline Vector max(Vector a, Vector b) { return a > b ? a : b; }
inline Vector min(Vector a, Vector b) { return a < b ? a : b; }
inline float sum_lanes(Vector v) {
  float lanes[kLanes];
  __builtin_memcpy(lanes, &v, sizeof(v));
  for (int64_t width = kLanes / 2; width > 0; width /= 2)
    for (int64_t i = 0; i < width; ++i) lanes[i] += lanes[i + width];
  return lanes[0];
}
inline float max_lanes(Vector v) {
  float best = v[0];
  for (int64_t i = 1; i < kLanes; ++i) best = v[i] > best ? v[i] : best;
  return best;
}

// e^x to about one unit in the last place: 2^n by the exponent bits, e^r by a polynomial on
// |r| <= ln(2)/2 (Cephes' expf). Below -87.3 the smallest normal number, above 88 its largest
// power.
inline Vector exp(Vector x) {
  x = min(max(x, splat(-87.3F)), splat(88.0F));
  const Vector rounder = splat(12582912.0F);  // 1.5 * 2^23: adding it rounds to a whole number
  const Vector shifted = x * 1.44269504088896341F + rounder;
  const Vector n = shifted - rounder;
  const Vector r = (x - n * 0.693359375F) - n * -2.12194440e-4F;
  Vector p = splat(1.9875691500e-4F);
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * (r * r) + r + 1.0F;
  Ints bits, scale;
  __builtin_memcpy(&bits, &p, sizeof(bits));
  __builtin_memcpy(&scale, &shifted, sizeof(scale));
  bits += scale << 23;
  __builtin_memcpy(&p, &bits, sizeof(p));
  return p;
}

void rms_norm(const float* x, const float* weight, float* out, float* inverse, int64_t rows,
              int64_t width, float eps) {
  const int64_t whole = width - width % kLanes, rest = width % kLanes;
  for (int64_t n = 0; n < rows; ++n, x += width, out += width) {
    Vector squares = {};
    for (int64_t i = 0; i < whole; i += kLanes) squares += load(x + i) * load(x + i);
    const Vector end = load_part(x + whole, rest);
    squares += end * end;
    const float scale =
        1.0F / __builtin_sqrtf(sum_lanes(squares) / static_cast<float>(width) + eps);
    inverse[n] = scale;
    for (int64_t i = 0; i < whole; i += kLanes)
      store(out + i, load(weight + i) * (load(x + i) * scale));
    store_part(out + whole, load_part(weight + whole, rest) * (end * scale), rest);
  }
}

void rms_norm_backward(const float* d_out, const float* x, const float* weight,
                       const float* inverse, float* d_x, float* d_weight, int64_t rows,
                       int64_t width) {
  const int64_t whole = width - width % kLanes, rest = width % kLanes;
  const Vector weight_end = load_part(weight + whole, rest);
  Vector d_weight_end = load_part(d_weight + whole, rest);
  for (int64_t n = 0; n < rows; ++n, x += width, d_out += width, d_x += width) {
    const float scale = inverse[n];
    Vector dots = {};
    for (int64_t i = 0; i < whole; i += kLanes)
      dots += load(d_out + i) * load(weight + i) * load(x + i);
    const Vector x_end = load_part(x + whole, rest), d_end = load_part(d_out + whole, rest);
    dots += d_end * weight_end * x_end;
    const float mean = sum_lanes(dots) * scale * scale / static_cast<float>(width);
    for (int64_t i = 0; i < whole; i += kLanes) {
      const Vector d = load(d_out + i), v = load(x + i);
      store(d_x + i, scale * (d * load(weight + i) - v * mean));
      store(d_weight + i, load(d_weight + i) + d * v * scale);
    }
    store_part(d_x + whole, scale * (d_end * weight_end - x_end * mean), rest);
    d_weight_end += d_end * x_end * scale;
  }
  store_part(d_weight + whole, d_weight_end, rest);
}

inline Vector sigmoid(Vector x) { return 1.0F / (1.0F + exp(-x)); }

void swiglu(const float* gate_up, float* out, int64_t rows, int64_t width) {
  const int64_t whole = width - width % kLanes, rest = width % kLanes;
  for (int64_t n = 0; n < rows; ++n, gate_up += 2 * width, out += width) {
    const float* up = gate_up + width;
    for (int64_t i = 0; i < whole; i += kLanes) {
      const Vector gate = load(gate_up + i);
      store(out + i, gate * sigmoid(gate) * load(up + i));
    }
    const Vector gate = load_part(gate_up + whole, rest);
    store_part(out + whole, gate * sigmoid(gate) * load_part(up + whole, rest), rest);
  }
}

// 0.5 x (1 + tanh(u)) = x sigmoid(2u), u = sqrt(2 / pi) (x + 0.044715 x^3)
inline Vector gelu(Vector x) {
  return x * sigmoid(1.5957691216057308F * (x + 0.044715F * (x * x * x)));
}

void geglu(const float* gate_up, float* out, int64_t rows, int64_t width) {
  const int64_t whole = width - width % kLanes, rest = width % kLanes;
  for (int64_t n = 0; n < rows; ++n, gate_up += 2 * width, out += width) {
    const float* up = gate_up + width;
    for (int64_t i = 0; i < whole; i += kLanes)
      store(out + i, gelu(load(gate_up + i)) * load(up + i));
    store_part(out + whole,
               gelu(load_part(gate_up + whole, rest)) * load_part(up + whole, rest), rest);
  }
}

// d silu(gate) * up / d gate, with s = sigmoid(gate). (No lambda: they do not take on the file's
// target.)
inline Vector d_gate(Vector d, Vector gate, Vector up, Vector s) {
  return d * up * s * (1.0F + gate * (1.0F - s));
}

void swiglu_backward(const float* d_out, const float* gate_up, float* d_gate_up, int64_t rows,
                     int64_t width) {
  const int64_t whole = width - width % kLanes, rest = width % kLanes;
  for (int64_t n = 0; n < rows; ++n, gate_up += 2 * width, d_gate_up += 2 * width, d_out += width) {
    for (int64_t i = 0; i < whole; i += kLanes) {
      const Vector gate = load(gate_up + i), d = load(d_out + i), s = sigmoid(gate);
      store(d_gate_up + i, d_gate(d, gate, load(gate_up + width + i), s));
      store(d_gate_up + width + i, d * gate * s);
    }
    const Vector gate = load_part(gate_up + whole, rest), d = load_part(d_out + whole, rest);
    const Vector s = sigmoid(gate);
    store_part(d_gate_up + whole, d_gate(d, gate, load_part(gate_up + width + whole, rest), s),
               rest);
    store_part(d_gate_up + width + whole, d * gate * s, rest);
  }
}

constexpr float kLowest = -3.402823466e+38F;

float row_max(const float* row, int64_t width) {
  const int64_t whole = width - width % kLanes;
  Vector best = splat(kLowest);
  for (int64_t i = 0; i < whole; i += kLanes) best = max(best, load(row + i));
  best = max(best, load_part(row + whole, width - whole, kLowest));
  return max_lanes(best);
}

// row = exp(row - shift); returns the sum.
float exp_row(float* row, int64_t width, float shift) {
  const int64_t whole = width - width % kLanes, rest = width % kLanes;
  Vector sum = {};
  for (int64_t i = 0; i < whole; i += kLanes) {
    const Vector e = exp(load(row + i) - shift);
    store(row + i, e);
    sum += e;
  }
  float tail = 0;
  const Vector e = exp(load_part(row + whole, rest) - shift);
  for (int64_t i = 0; i < rest; ++i) tail += e[i];
  store_part(row + whole, e, rest);
  return sum_lanes(sum) + tail;
}

void softmax_rows(float* logits, const int64_t* targets, const float* scale, float* log_probs,
                  int64_t rows, int64_t width, SoftmaxRows mode) {
  const int64_t whole = width - width % kLanes;
  for (int64_t n = 0; n < rows; ++n, logits += width) {
    const float largest = row_max(logits, width), at_target = logits[targets[n]];
    const float sum = exp_row(logits, width, largest);
    log_probs[n] = (at_target - largest) - __builtin_logf(sum);
    if (mode == SoftmaxRows::log_prob) continue;
    const float wanted = scale ? scale[n] : 1.0F, factor = wanted / sum;
    for (int64_t i = 0; i < whole; i += kLanes) store(logits + i, load(logits + i) * factor);
    for (int64_t i = whole; i < width; ++i) logits[i] *= factor;
    logits[targets[n]] -= wanted;
  }
}

#include "nn/kernels_attention.h"
#include "nn/kernels_paged.h"

constexpr Kernels make_table(const char* name) {
  return {name,         rms_norm,       rms_norm_backward, swiglu,    geglu,
          swiglu_backward, softmax_rows, attention_fits, attention_scratch, attention,
          attention_backward, paged_attention};
}

}  // namespace
}  // namespace helio::nn
// NOLINTEND(llvm-header-guard)
