// Mixtral: Mistral whose feed-forward layers are experts.
#include "checkpoint/family.h"

namespace helio::checkpoint {
namespace {

void read(const ConfigKeys& keys, DecoderConfig& config) {
  read_tied(keys, config);
  read_silu(keys, config);
  read_heads(keys, config);
  read_head_dim_or_share(keys, config);
  read_window_everywhere(keys, config);
  config.experts = {.count = keys.need_integer("num_local_experts"),
                    .per_token = keys.need_integer("num_experts_per_tok"),
                    .width = config.intermediate_size,
                    .renormalise = true,
                    .names = ExpertNames::block_sparse_moe};
  read_rope(keys, config);
}

void write(const DecoderConfig& config, OrderedJson& json) {
  json["num_local_experts"] = config.experts.count;
  json["num_experts_per_tok"] = config.experts.per_token;
  json["output_router_logits"] = false;
  json["router_jitter_noise"] = 0.0;
  json["sliding_window"] = window_json(config);
}

constexpr Family kMixtral{
    .architecture = "MixtralForCausalLM", .model_type = "mixtral", .read = read, .write = write};

}  // namespace
HELIO_FAMILY(kMixtral)
}  // namespace helio::checkpoint
