// A decoder layer as generation runs it: its matrices packed (nn/packed_weight.h), everything
// between them in few passes over plain arrays. f32 activations, no gradients.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "checkpoint/hf_config.h"
#include "nn/packed_weight.h"
#include "nn/paged_attention.h"

namespace helio::model {

struct PackedLayer {
  struct Expert {
    nn::PackedWeight gate_up = {}, down = {};
  };

  nn::PackedWeight qkv = {}, o = {}, gate_up = {}, down = {};  // the last two but for experts
  std::vector<Expert> experts = {};
  at::Tensor router = {};  // [experts, H] f32
  // As they multiply (1 added where the family does); empty: none.
  std::vector<float> attention_in_norm = {}, q_norm = {}, k_norm = {}, attention_out_norm = {},
                     mlp_in_norm = {}, mlp_out_norm = {};
  std::vector<float> qkv_bias = {}, o_bias = {}, gate_up_bias = {}, down_bias = {};
};

// The arrays that a step's layers use one after another.
class StepBuffers {
 public:
  StepBuffers(const checkpoint::DecoderConfig& config, int64_t rows);

  std::vector<float> x, normed, qkv, attended, gate_up, inner,
      added;  // x [rows, H]: the residual stream
  nn::Activations activations;
};

// What the tokens of a step are: their positions' rotation and their sequences' pages.
struct StepTokens {
  std::span<const nn::PagedStep> steps = {};
  const float *cos = nullptr, *sin = nullptr;  // [rows, half]
  int64_t half = 0;                            // of the dimensions that rotate
};

// Are all of a step's tokens few enough for one team (nn/team.h), with no tensor operator inside?
bool is_short(std::span<const nn::PagedStep> steps);

// The routed experts' sum for x [N, H] f32 (nn/experts.h).
at::Tensor run_packed_experts(const PackedLayer& layer, const at::Tensor& x_NH,
                              const checkpoint::Experts& experts);

// buffers.x through the layer; keys and values go into the pools.
void run_packed_layer(const checkpoint::DecoderConfig& config, const PackedLayer& layer,
                      const nn::AttentionRule& rule, const StepTokens& tokens, at::Tensor& key_pool,
                      at::Tensor& value_pool, StepBuffers& buffers, nn::Phases& phases);

}  // namespace helio::model
