// Gemma 2: norms around both blocks, soft caps on scores and logits, every other layer a window.
#include "checkpoint/family.h"

namespace helio::checkpoint {
namespace {

double cap(const ConfigKeys& keys, const char* key) {
  if (!keys.says(key)) throw keys.missing(key);
  const Json* value = keys.find(key);  // null: not capped
  return value == nullptr ? 0 : keys.positive(key, *value);
}

void read(const ConfigKeys& keys, DecoderConfig& config) {
  read_gemma(keys, config, "hidden_activation");
  config.norm_placement = NormPlacement::around;
  config.attention_softcap = cap(keys, "attn_logit_softcapping");
  config.logit_softcap = cap(keys, "final_logit_softcapping");
  config.query_scalar = keys.need_integer("query_pre_attn_scalar");
  read_gemma_windows(keys, config);
  if (config.layer_kinds.empty())
    for (int64_t i = 0; i < config.layers; ++i)
      config.layer_kinds.push_back(i % 2 == 0 ? LayerKind::sliding : LayerKind::full);
  read_rope(keys, config);
}

OrderedJson cap_json(double value) {
  return value == 0 ? OrderedJson(nullptr) : OrderedJson(value);
}

void write(const DecoderConfig& config, OrderedJson& json) {
  json["attention_bias"] = config.qkv_bias;
  json["attn_logit_softcapping"] = cap_json(config.attention_softcap);
  json["final_logit_softcapping"] = cap_json(config.logit_softcap);
  json["hidden_activation"] = json["hidden_act"];
  json["layer_types"] = layer_types_json(config);
  json["query_pre_attn_scalar"] = config.query_scalar;
  json["sliding_window"] = config.window;
}

constexpr Family kGemma2{
    .architecture = "Gemma2ForCausalLM", .model_type = "gemma2", .read = read, .write = write};

}  // namespace
HELIO_FAMILY(kGemma2)
}  // namespace helio::checkpoint
