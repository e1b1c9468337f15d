// Gemma 3, text: norms around both blocks and on queries and keys, five layers with a window to
// one without, each kind with a rotation of its own.
#include "checkpoint/family.h"

namespace helio::checkpoint {
namespace {

constexpr const char* kSliding = "sliding_attention";
constexpr const char* kFull = "full_attention";

void read_layers(const ConfigKeys& keys, DecoderConfig& config) {
  read_gemma_windows(keys, config);
  if (!config.layer_kinds.empty()) return;
  int64_t pattern = 6;  // every sixth layer sees everything, in all published sizes
  if (const Json* said = keys.find("sliding_window_pattern"))
    pattern = keys.integer("sliding_window_pattern", *said);
  for (int64_t i = 0; i < config.layers; ++i)
    config.layer_kinds.push_back((i + 1) % pattern ? LayerKind::sliding : LayerKind::full);
}

// A kind of layer in transformers 5's rope_parameters; `theta_key` is its name in 4's form, and
// what both say must agree.
SlidingRope read_one(const ConfigKeys& keys, const DecoderConfig& config, const char* kind,
                     const char* theta_key) {
  const ConfigKeys both = keys.object("rope_parameters", keys.need("rope_parameters"));
  const ConfigKeys one = both.object(kind, both.need(kind));
  const SlidingRope rope = {.theta = one.need_positive("rope_theta"),
                            .scaling = read_rope_scaling(one, config)};
  if (const Json* four = keys.find(theta_key);
      four != nullptr && keys.positive(theta_key, *four) != rope.theta)
    throw keys.unsupported(
        std::string("rope_parameters and ") + theta_key + " say different things",
        "keep the one the model was trained with");
  return rope;
}

void read_two_ropes(const ConfigKeys& keys, DecoderConfig& config) {
  const SlidingRope full = read_one(keys, config, kFull, "rope_theta");
  if (const Json* four = keys.find("rope_scaling");
      four != nullptr &&
      !(read_rope_scaling(keys.object("rope_scaling", *four), config) == full.scaling))
    throw keys.unsupported("rope_parameters and rope_scaling say different things",
                           "keep the one the model was trained with");
  config.sliding_rope = read_one(keys, config, kSliding, "rope_local_base_freq");
  config.rope_theta = full.theta;
  config.rope = full.scaling;
}

void read(const ConfigKeys& keys, DecoderConfig& config) {
  read_gemma(keys, config, "hidden_activation");
  config.norm_placement = NormPlacement::around;
  config.qk_norm = QkNorm::each_head;
  config.query_scalar = keys.need_integer("query_pre_attn_scalar");
  keys.only("attn_logit_softcapping", nullptr, "null (Gemma 3's scores are not capped)");
  if (const Json* cap = keys.find("final_logit_softcapping"))
    config.logit_softcap = keys.positive("final_logit_softcapping", *cap);
  read_layers(keys, config);
  if (keys.find("rope_parameters") != nullptr) {
    read_two_ropes(keys, config);
    return;
  }
  read_rope(keys, config);
  config.sliding_rope = {.theta = keys.need_positive("rope_local_base_freq"), .scaling = {}};
}

void write(const DecoderConfig& config, OrderedJson& json) {
  const SlidingRope sliding = config.sliding_rope.value_or(SlidingRope{});
  json["attention_bias"] = config.qkv_bias;
  json["attn_logit_softcapping"] = nullptr;
  json["final_logit_softcapping"] =
      config.logit_softcap == 0 ? OrderedJson(nullptr) : OrderedJson(config.logit_softcap);
  json["hidden_activation"] = json["hidden_act"];
  json.erase("hidden_act");
  json["layer_types"] = layer_types_json(config);
  json["query_pre_attn_scalar"] = config.query_scalar;
  json["rope_local_base_freq"] = sliding.theta;
  json["rope_parameters"] = {{kFull, rope_json(config.rope_theta, config.rope)},
                             {kSliding, rope_json(sliding.theta, sliding.scaling)}};
  json["sliding_window"] = config.window;
}

constexpr Family kGemma3{
    .architecture = "Gemma3ForCausalLM", .model_type = "gemma3_text", .read = read, .write = write};

}  // namespace
HELIO_FAMILY(kGemma3)
}  // namespace helio::checkpoint
