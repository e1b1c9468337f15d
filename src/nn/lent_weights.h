// Weights of layers that are here only while their layer runs.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace helio::nn {

enum class Pass { forward, backward };

class LentWeights {
 public:
  virtual ~LentWeights() = default;
  // Before the layer runs, and after it. A forward pass takes the layers upwards, a backward pass
  // downwards.
  virtual void bring(int64_t layer, Pass pass) = 0;
  virtual void drop(int64_t layer) = 0;
  // What a backward pass found for the layer's weights, in their order; undefined: nothing.
  virtual void give(int64_t layer, std::vector<at::Tensor> gradients) = 0;
};

}  // namespace helio::nn
