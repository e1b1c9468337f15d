// A model family: how its config.json becomes a DecoderConfig and back. One file a family in
// checkpoint/families, ending with HELIO_FAMILY(name); CMake makes the registry from the folder.
// Facts: transformers 5.23, models/<family>/configuration_<family>.py and modeling_<family>.py.
#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "checkpoint/config_keys.h"
#include "checkpoint/hf_config.h"

namespace helio::checkpoint {

struct Family {
  std::string_view architecture = {}, model_type = {};
  // Fills what is particular to the family. Sizes, ids and dtype are there already.
  void (*read)(const ConfigKeys& keys, DecoderConfig& config) = nullptr;
  // Adds the family's keys; the common ones are there, and may be changed or erased.
  void (*write)(const DecoderConfig& config, OrderedJson& json) = nullptr;
};

const std::vector<const Family*>& families();

#define HELIO_FAMILY(family) \
  const Family& HELIO_FAMILY_ENTRY() { return family; }

// Pieces that several families share.

void read_tied(const ConfigKeys& keys, DecoderConfig& config);          // the key must be there
void read_heads(const ConfigKeys& keys, DecoderConfig& config);         // needs num_key_value_heads
void read_heads_or_all(const ConfigKeys& keys, DecoderConfig& config);  // absent: one a query head
void read_head_dim(const ConfigKeys& keys, DecoderConfig& config);      // needs head_dim
void read_head_dim_or_share(const ConfigKeys& keys, DecoderConfig& config);  // absent: hidden/heads
void read_silu(const ConfigKeys& keys, DecoderConfig& config);
// attention_bias: on queries, keys, values and the output alike; absent: none.
void read_attention_bias(const ConfigKeys& keys, DecoderConfig& config);
// sliding_window for every layer; null: none. The key must be there.
void read_window_everywhere(const ConfigKeys& keys, DecoderConfig& config);
// layer_types, where the file has it: one kind a layer.
bool read_layer_kinds(const ConfigKeys& keys, DecoderConfig& config);
// use_sliding_window, sliding_window, max_window_layers, layer_types of Qwen 2 and 3.
void read_qwen_windows(const ConfigKeys& keys, DecoderConfig& config);
// The rules of Gemma 1 to 3: tied head, 1 + w norms, scaled embedding, GELU.
void read_gemma(const ConfigKeys& keys, DecoderConfig& config, const char* activation_key);
void read_gemma_windows(const ConfigKeys& keys, DecoderConfig& config);

// rope_theta and rope_scaling, or rope_parameters; both must mean the same.
void read_rope(const ConfigKeys& keys, DecoderConfig& config);
RopeScaling read_rope_scaling(const ConfigKeys& keys, const DecoderConfig& config);
// transformers 5's object, with theta.
OrderedJson rope_json(double theta, const RopeScaling& scaling);
// transformers 4's: the same without theta; null when positions are not scaled.
OrderedJson rope_scaling_json(const RopeScaling& scaling);

OrderedJson window_json(const DecoderConfig& config);       // sliding_window: a number or null
int64_t first_sliding(const DecoderConfig& config);         // layer; as many as there are: none
OrderedJson layer_types_json(const DecoderConfig& config);  // one name a layer

}  // namespace helio::checkpoint
