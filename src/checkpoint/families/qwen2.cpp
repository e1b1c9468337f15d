// Qwen 2 and 2.5: biases on queries, keys and values, always.
#include "checkpoint/family.h"

namespace helio::checkpoint {
namespace {

void read(const ConfigKeys& keys, DecoderConfig& config) {
  read_tied(keys, config);
  read_silu(keys, config);
  read_heads(keys, config);
  read_head_dim_or_share(keys, config);
  config.qkv_bias = true;
  read_qwen_windows(keys, config);
  read_rope(keys, config);
}

void write(const DecoderConfig& config, OrderedJson& json) {
  json["use_sliding_window"] = config.window != 0;
  json["sliding_window"] = window_json(config);
  json["layer_types"] = layer_types_json(config);
  json["max_window_layers"] = first_sliding(config);  // read before layer_types were known
}

constexpr Family kQwen2{
    .architecture = "Qwen2ForCausalLM", .model_type = "qwen2", .read = read, .write = write};

}  // namespace
HELIO_FAMILY(kQwen2)
}  // namespace helio::checkpoint
