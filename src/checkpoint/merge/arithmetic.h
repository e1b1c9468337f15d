// The arithmetic of merging, value by value, in the order and with the roundings of mergekit 0.1.5
// on torch's CPU kernels: bf16 and f16 are computed in f32 and rounded after every operation, sums
// over models are taken in f32 and rounded once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "checkpoint/safetensors.h"

namespace helio::checkpoint {

// How task vectors (differences from the base) of several models become one.
struct TaskMix {
  DType work = DType::f32;              // f32, bf16 or f16
  std::span<const float> weights = {};  // of the models, rounded to `work`
  bool consensus = false;               // TIES: only those whose sign is the majority's
  bool normalize = false;               // divided by the weights that took part
  float lambda = 1;
};

// Loops over `count` values; two sets of them, for this machine and for any.
struct MergeLoops {
  // F32, BF16 and F16 to float, rounded to `work`; and float to these three.
  void (*widen)(DType from, const std::byte* in, DType work, float* out, size_t count);
  void (*narrow)(DType to, const float* in, std::byte* out, size_t count);
  void (*scale)(DType work, float by, float* values, size_t count);
  void (*divide)(float by, float* values, size_t count);
  void (*add_product)(float factor, const float* values, float* sum, size_t count);  // fused
  void (*blend)(float a, const float* x, float b, const float* y, float* out, size_t count);
  // values = round(values - base)
  void (*subtract)(DType work, const float* base, float* values, size_t count);
  // Values whose magnitude (its f32 bits) is below are multiplied by zero.
  void (*keep_from)(uint32_t magnitude, float* values, size_t count);
  // Each is kept with probability `density`, as number `first` + i of the stream says; the others
  // are multiplied by zero.
  void (*keep_by_chance)(uint64_t stream, uint64_t first, float density, float* values,
                         size_t count);
  double (*sum_of_magnitudes)(const float* values, size_t count);
  double (*sum_of_squares)(const float* values, size_t count);
  // Of x / norm_x and y / norm_y, both rounded to f32.
  double (*dot)(const float* x, float norm_x, const float* y, float norm_y, size_t count);
  // deltas: one row of `stride` values a model. Destroys them. base + what they come to, rounded.
  void (*mix)(const TaskMix& mix, float* deltas, size_t stride, const float* base, float* out,
              size_t count);
  size_t (*count_nan)(const float* values, size_t count);
};

// The faster set where the processor has AVX2 and FMA; the numbers are the same.
const MergeLoops& merge_loops();
const MergeLoops& portable_merge_loops();

float rounded(DType work, float value);

}  // namespace helio::checkpoint
