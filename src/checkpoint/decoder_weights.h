// The weights a decoder has, by their names in Hugging Face checkpoints, in the order of the model.
// What the decoder makes, what parameters() counts and what files hold is this list.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/hf_config.h"

namespace helio::checkpoint {

// What a weight is for, whatever its family calls it.
enum class Role {
  embedding,
  attention_in_norm,  // on the input of the attention block
  q,
  k,
  v,
  qkv,  // qkv: the three as one
  q_bias,
  k_bias,
  v_bias,
  q_norm,
  k_norm,
  o,
  o_bias,
  attention_out_norm,  // on what the block adds to the residual stream
  mlp_in_norm,
  gate,
  up,
  gate_up,
  down,  // with experts: one of each for every expert
  gate_bias,
  up_bias,
  down_bias,
  router,
  mlp_out_norm,
  final_norm,
  head,
};
inline constexpr int kRoles = static_cast<int>(Role::head) + 1;

bool is_norm(Role role);
bool is_bias(Role role);
bool adds_to_residual(Role role);  // o and down

struct DecoderWeight {
  Role role = Role::embedding;
  std::string name = {};
  std::vector<int64_t> shape = {};
  int64_t elements() const;
};

// Of one layer, with the first `experts` experts where it has any.
std::vector<DecoderWeight> layer_weights(const DecoderConfig& config, int64_t layer,
                                         int64_t experts);
// Embedding, final norm, and the head unless it is the embedding.
std::vector<DecoderWeight> outer_weights(const DecoderConfig& config);

// All of them: embedding, layers, final norm, head.
std::vector<DecoderWeight> decoder_weights(const DecoderConfig& config);

}  // namespace helio::checkpoint
