// Feed-forward layers of which a router picks a few for each token (Shazeer et al. 2017; numbers
// follow transformers 5.23, models/mixtral and models/qwen3_moe).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "checkpoint/hf_config.h"

namespace helio::nn {

struct ExpertWeights {
  std::vector<at::Tensor> gate_FH = {}, up_FH = {}, down_HF = {};  // one an expert
};
// What an expert makes of some tokens: [n, H] -> [n, H].
using RunExpert = std::function<at::Tensor(int64_t expert, const at::Tensor& x_nH)>;

// The router's softmax over all experts, the `per_token` largest kept, made to add up to 1 where
// the config says so: each token's sum of the experts' outputs by those weights. While gradients
// are recorded every expert gets one, be it of zeros.
at::Tensor routed_experts(const at::Tensor& x_NH, const at::Tensor& router_EH, const RunExpert& run,
                          const checkpoint::Experts& experts);
at::Tensor routed_experts(const at::Tensor& x_NH, const at::Tensor& router_EH,
                          const ExpertWeights& weights, const checkpoint::Experts& experts);

}  // namespace helio::nn
