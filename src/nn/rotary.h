// Rotary frequencies with the scalings that configs name, and the rotation of sequences by them.
// Numbers follow transformers 5.23 (modeling_rope_utils.py).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "checkpoint/hf_config.h"
#include "nn/layers.h"

namespace helio::nn {

// f32 [R/2] for R rotating dimensions: default, linear (divided by the factor), llama3 (a blend by
// wavelength), yarn (a blend by rotations), and for a sequence of `length` tokens dynamic (a larger
// base beyond the first training's length) and longrope (one set of factors up to that length,
// another beyond).
at::Tensor rope_frequencies(int64_t rotating, double theta, const checkpoint::RopeScaling& scaling,
                            int64_t length = 0);
// What yarn and longrope multiply cosines and sines with; else 1.
double rope_attention_factor(const checkpoint::RopeScaling& scaling);

class Rotary {
 public:
  Rotary(int64_t rotating, double theta, checkpoint::RopeScaling scaling);

  // Positions of documents packed end to end; the frequencies of each follow its own length.
  Rotation rotation(const at::Tensor& positions_N, const std::vector<int64_t>& lengths) const;
  // Does a token rotate alike in sequences of these lengths?
  bool alike(int64_t length, int64_t other) const;

 private:
  int64_t rotating_;
  double theta_, factor_;
  checkpoint::RopeScaling scaling_;
  at::Tensor frequencies_ = {};  // undefined when they follow the length
};

}  // namespace helio::nn
