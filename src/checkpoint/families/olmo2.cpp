// OLMo 2: norms on the output of each block, and on all queries and all keys of a token together.
#include "checkpoint/family.h"

namespace helio::checkpoint {
namespace {

void read(const ConfigKeys& keys, DecoderConfig& config) {
  read_tied(keys, config);
  read_silu(keys, config);
  read_heads_or_all(keys, config);
  read_head_dim_or_share(keys, config);
  read_attention_bias(keys, config);
  config.norm_placement = NormPlacement::after;
  config.norm_weight = NormWeight::exact;
  config.qk_norm = QkNorm::all_heads;
  read_rope(keys, config);
}

void write(const DecoderConfig& config, OrderedJson& json) {
  json["attention_bias"] = config.qkv_bias;
}

constexpr Family kOlmo2{
    .architecture = "Olmo2ForCausalLM", .model_type = "olmo2", .read = read, .write = write};

}  // namespace
HELIO_FAMILY(kOlmo2)
}  // namespace helio::checkpoint
