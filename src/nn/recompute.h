// Activation checkpointing (Chen et al. 2016, "Training deep nets with sublinear memory cost").
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "nn/lent_weights.h"

namespace helio::nn {

// run(x), of which only x is kept for the backward pass: there `run` is called once more. It must
// give the same both times and use no tensor that needs a gradient but x and `weights`, which are
// leaves. Gradients are the same to the bit as those of run(x) itself. Weights that need no
// gradient may be among them. Without gradients to record it is run(x).
at::Tensor recomputed(const at::Tensor& x, const std::vector<at::Tensor>& weights,
                      std::function<at::Tensor(const at::Tensor&)> run);

// The same for layer `layer` of weights that are lent: they are brought for each of the two runs,
// and their gradients are given to `lender`, not left in the weights. It outlives the graph.
at::Tensor recomputed(const at::Tensor& x, const std::vector<at::Tensor>& weights,
                      std::function<at::Tensor(const at::Tensor&)> run, LentWeights& lender,
                      int64_t layer);

}  // namespace helio::nn
