// The config of a new model. Torch-free and in the header, as train/workload.h is: a recipe's plan
// counts the parameters of models that are not there yet.
#pragma once

#include <cstdint>

#include "checkpoint/hf_config.h"
#include "train/options.h"

namespace helio::train {

// Llama architecture; special tokens are not named. shape.hidden is to be a multiple of
// shape.heads.
inline checkpoint::DecoderConfig new_config(const ModelShape& shape, int64_t vocab_size) {
  checkpoint::DecoderConfig config;
  config.vocab_size = vocab_size;
  config.hidden_size = shape.hidden;
  config.intermediate_size = shape.ffn;
  config.layers = shape.layers;
  config.heads = shape.heads;
  config.kv_heads = shape.kv_heads;
  config.head_dim = shape.hidden / shape.heads;
  config.rms_norm_eps = shape.norm_eps;
  config.rope_theta = shape.rope_theta;
  config.max_positions = shape.context;
  config.tied_embeddings = shape.tied;
  config.initializer_range = shape.init_std;
  return config;
}

}  // namespace helio::train
