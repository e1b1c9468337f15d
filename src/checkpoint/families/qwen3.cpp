// Qwen 3: queries and keys are normalised head by head; no biases unless the file says so.
#include "checkpoint/family.h"

namespace helio::checkpoint {
namespace {

void read(const ConfigKeys& keys, DecoderConfig& config) {
  read_tied(keys, config);
  read_silu(keys, config);
  read_heads(keys, config);
  read_head_dim(keys, config);  // 128 by default, whatever hidden_size / heads is
  read_attention_bias(keys, config);
  config.qk_norm = QkNorm::each_head;
  read_qwen_windows(keys, config);
  read_rope(keys, config);
}

void write(const DecoderConfig& config, OrderedJson& json) {
  json["attention_bias"] = config.qkv_bias;
  json["use_sliding_window"] = config.window != 0;
  json["sliding_window"] = window_json(config);
  json["layer_types"] = layer_types_json(config);
  json["max_window_layers"] = first_sliding(config);  // read before layer_types were known
}

constexpr Family kQwen3{
    .architecture = "Qwen3ForCausalLM", .model_type = "qwen3", .read = read, .write = write};

}  // namespace
HELIO_FAMILY(kQwen3)
}  // namespace helio::checkpoint
