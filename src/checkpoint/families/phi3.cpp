// Phi-3, 3.5 and 4: Llama with one projection for queries, keys and values, one for gate and up;
// long contexts by longrope, and in Phi-4-mini only a part of each head rotates.
#include "checkpoint/family.h"

namespace helio::checkpoint {
namespace {

void read(const ConfigKeys& keys, DecoderConfig& config) {
  read_tied(keys, config);
  read_silu(keys, config);
  read_heads_or_all(keys, config);
  read_head_dim_or_share(keys, config);
  config.fused_projections = true;
  read_window_everywhere(keys, config);
  if (const Json* first = keys.find("original_max_position_embeddings"))
    config.rope.original_max_position = keys.integer("original_max_position_embeddings", *first);
  read_rope(keys, config);
  if (config.rope.type != "default" && config.rope.type != "longrope")
    throw keys.unsupported("rope type '" + config.rope.type + "' is not supported for Phi-3",
                           "supported: default, longrope");
}

void write(const DecoderConfig& config, OrderedJson& json) {
  const RopeScaling& rope = config.rope;
  json["embd_pdrop"] = 0.0;
  json["resid_pdrop"] = 0.0;
  json["sliding_window"] = window_json(config);
  json["partial_rotary_factor"] = config.rotary_share;
  json["rope_parameters"]["partial_rotary_factor"] = config.rotary_share;
  if (rope.type != "longrope") {
    json["original_max_position_embeddings"] = config.max_positions;
    return;
  }
  json["original_max_position_embeddings"] = rope.original_max_position;
  // transformers 4 takes exactly these three keys; 5 takes rope_scaling before rope_parameters, so
  // what else is said must be here too.
  OrderedJson scaling = {
      {"type", "longrope"}, {"short_factor", rope.short_factor}, {"long_factor", rope.long_factor}};
  if (rope.attention_factor) scaling["attention_factor"] = *rope.attention_factor;
  if (rope.factor !=
      static_cast<double>(config.max_positions) / static_cast<double>(rope.original_max_position))
    scaling["factor"] = rope.factor;
  json["rope_scaling"] = scaling;
}

constexpr Family kPhi3{
    .architecture = "Phi3ForCausalLM", .model_type = "phi3", .read = read, .write = write};

}  // namespace
HELIO_FAMILY(kPhi3)
}  // namespace helio::checkpoint
