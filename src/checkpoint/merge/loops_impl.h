// Included by arithmetic.cpp and arithmetic_avx2.cpp inside a namespace of their own.

struct AsF32 {
  static float round(float x) { return x; }
};
struct AsBf16 {
  static float round(float x) { return bfloat_to_float(float_to_bfloat(x)); }
};
struct AsF16 {
  static float round(float x) { return half_to_float(float_to_half(x)); }
};

template <class Body>
void in_dtype(DType work, Body&& body) {
  if (work == DType::bf16) return body(AsBf16{});
  if (work == DType::f16) return body(AsF16{});
  body(AsF32{});
}

template <class Stored, class Convert, class Round>
void widen_as(const std::byte* in, float* out, size_t count, Convert convert, Round) {
  for (size_t i = 0; i < count; ++i) {
    Stored stored;
    __builtin_memcpy(&stored, in + i * sizeof stored, sizeof stored);
    out[i] = Round::round(convert(stored));
  }
}

void widen(DType from, const std::byte* in, DType work, float* out, size_t count) {
  // What is in the dtype of the work already needs no rounding.
  in_dtype(from == work ? DType::f32 : work, [&](auto round) {
    if (from == DType::bf16)
      widen_as<uint16_t>(
          in, out, count, [](uint16_t x) { return bfloat_to_float(x); }, round);
    else if (from == DType::f16)
      widen_as<uint16_t>(
          in, out, count, [](uint16_t x) { return half_to_float(x); }, round);
    else
      widen_as<float>(
          in, out, count, [](float x) { return x; }, round);
  });
}

void narrow(DType to, const float* in, std::byte* out, size_t count) {
  if (to == DType::f32) {
    __builtin_memcpy(out, in, count * sizeof(float));
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    const uint16_t stored = to == DType::bf16 ? float_to_bfloat(in[i]) : float_to_half(in[i]);
    __builtin_memcpy(out + i * sizeof stored, &stored, sizeof stored);
  }
}

void scale(DType work, float by, float* values, size_t count) {
  in_dtype(work, [&](auto as) {
    for (size_t i = 0; i < count; ++i) values[i] = as.round(values[i] * by);
  });
}

void divide(float by, float* values, size_t count) {
  for (size_t i = 0; i < count; ++i) values[i] /= by;
}

void add_product(float factor, const float* values, float* sum, size_t count) {
  for (size_t i = 0; i < count; ++i) sum[i] = __builtin_fmaf(values[i], factor, sum[i]);
}

void blend(float a, const float* x, float b, const float* y, float* out, size_t count) {
  for (size_t i = 0; i < count; ++i) out[i] = a * x[i] + b * y[i];
}

void subtract(DType work, const float* base, float* values, size_t count) {
  in_dtype(work, [&](auto as) {
    for (size_t i = 0; i < count; ++i) values[i] = as.round(values[i] - base[i]);
  });
}

uint32_t magnitude_of(float value) { return std::bit_cast<uint32_t>(value) & 0x7fffffffU; }

void keep_from(uint32_t magnitude, float* values, size_t count) {
  for (size_t i = 0; i < count; ++i)
    values[i] *= magnitude_of(values[i]) >= magnitude ? 1.0f : 0.0f;
}

// SplitMix64's output number `at` (core/rng.h), as a share of 1.
float chance(uint64_t stream, uint64_t at) {
  uint64_t x = stream + (at + 1) * 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  x ^= x >> 31;
  return static_cast<float>(static_cast<int32_t>(x >> 40)) * 0x1p-24f;
}

void keep_by_chance(uint64_t stream, uint64_t first, float density, float* values, size_t count) {
  for (size_t i = 0; i < count; ++i) values[i] *= chance(stream, first + i) < density ? 1.0f : 0.0f;
}

// Sums in eight lanes, so that a compiler may use vectors and the result is the same without them.
template <class Term>
double sum_of(size_t count, Term&& term) {
  constexpr size_t lanes = 8;
  double sums[lanes] = {};
  size_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (size_t j = 0; j < lanes; ++j) sums[j] += term(i + j);
  for (; i < count; ++i) sums[i % lanes] += term(i);
  double sum = 0;
  for (const double one : sums) sum += one;
  return sum;
}

double sum_of_magnitudes(const float* values, size_t count) {
  return sum_of(count, [&](size_t i) {
    return static_cast<double>(std::bit_cast<float>(magnitude_of(values[i])));
  });
}

double sum_of_squares(const float* values, size_t count) {
  return sum_of(count, [&](size_t i) {
    return static_cast<double>(values[i]) * static_cast<double>(values[i]);
  });
}

double dot(const float* x, float norm_x, const float* y, float norm_y, size_t count) {
  return sum_of(count,
                [&](size_t i) { return static_cast<double>((x[i] / norm_x) * (y[i] / norm_y)); });
}

template <class As>
void mix_as(const TaskMix& how, float* deltas, size_t stride, const float* base, float* out,
            size_t count, As as) {
  const size_t models = how.weights.size();
  for (size_t m = 0; m < models; ++m) {
    float* row = deltas + m * stride;
    const float weight = how.weights[m];
    for (size_t i = 0; i < count; ++i) row[i] = as.round(row[i] * weight);
  }
  float total = 0;
  for (const float weight : how.weights) total += weight;
  total = as.round(total);
  if (!how.consensus && __builtin_fabsf(total) < 1e-8f) total = 1;
  constexpr size_t block = 256;  // kept in the first cache
  for (size_t at = 0; at < count; at += block) {
    const size_t n = count - at < block ? count - at : block;
    float sum[block] = {}, divisor[block], taken[block] = {};
    for (size_t m = 0; m < models; ++m)
      for (size_t i = 0; i < n; ++i) sum[i] += deltas[m * stride + at + i];
    for (size_t i = 0; i < n; ++i) divisor[i] = total;
    if (how.consensus) {
      for (size_t i = 0; i < n; ++i) {
        sum[i] = as.round(sum[i]) >= 0 ? 1.0f : -1.0f;  // the majority's sign
        divisor[i] = 0;
      }
      for (size_t m = 0; m < models; ++m) {
        const float weight = how.weights[m];
        const float* row = deltas + m * stride + at;
        for (size_t i = 0; i < n; ++i) {
          const float agrees = row[i] * sum[i] > 0 ? 1.0f : 0.0f;
          taken[i] += row[i] * agrees;
          divisor[i] += weight * agrees;
        }
      }
      for (size_t i = 0; i < n; ++i) {
        divisor[i] = as.round(divisor[i]);
        divisor[i] = divisor[i] == 0 ? 1.0f : divisor[i];
        sum[i] = taken[i];
      }
    }
    for (size_t i = 0; i < n; ++i) sum[i] = as.round(sum[i]);
    if (how.normalize)
      for (size_t i = 0; i < n; ++i) sum[i] = as.round(sum[i] / divisor[i]);
    if (how.lambda != 1.0f)
      for (size_t i = 0; i < n; ++i) sum[i] = as.round(sum[i] * how.lambda);
    for (size_t i = 0; i < n; ++i) out[at + i] = as.round(base[at + i] + sum[i]);
  }
}

void mix(const TaskMix& how, float* deltas, size_t stride, const float* base, float* out,
         size_t count) {
  in_dtype(how.work, [&](auto as) { mix_as(how, deltas, stride, base, out, count, as); });
}

size_t count_nan(const float* values, size_t count) {
  size_t found = 0;
  for (size_t i = 0; i < count; ++i) found += magnitude_of(values[i]) > 0x7f800000U ? 1 : 0;
  return found;
}

const MergeLoops kLoops = {.widen = widen,
                           .narrow = narrow,
                           .scale = scale,
                           .divide = divide,
                           .add_product = add_product,
                           .blend = blend,
                           .subtract = subtract,
                           .keep_from = keep_from,
                           .keep_by_chance = keep_by_chance,
                           .sum_of_magnitudes = sum_of_magnitudes,
                           .sum_of_squares = sum_of_squares,
                           .dot = dot,
                           .mix = mix,
                           .count_nan = count_nan};
