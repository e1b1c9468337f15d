// Llama 2 and 3, and what is built like it: SOLAR, SmolLM 2, TinyLlama, Yi, Vicuna.
#include "checkpoint/family.h"

namespace helio::checkpoint {
namespace {

void read(const ConfigKeys& keys, DecoderConfig& config) {
  read_tied(keys, config);
  read_silu(keys, config);
  read_heads_or_all(keys, config);  // models older than grouped-query attention have no such key
  read_head_dim_or_share(keys, config);
  read_attention_bias(keys, config);
  config.mlp_bias = keys.boolean_or("mlp_bias", false);
  read_rope(keys, config);
}

void write(const DecoderConfig& config, OrderedJson& json) {
  json["attention_bias"] = config.qkv_bias;
  json["mlp_bias"] = config.mlp_bias;
}

constexpr Family kLlama{
    .architecture = "LlamaForCausalLM", .model_type = "llama", .read = read, .write = write};

}  // namespace
HELIO_FAMILY(kLlama)
}  // namespace helio::checkpoint
