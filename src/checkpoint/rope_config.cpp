// Rotary scalings as config.json spells them, in transformers 4's form and in 5's.
#include <cmath>

#include "checkpoint/family.h"

namespace helio::checkpoint {
namespace {

constexpr const char* kKnown = "supported: default, linear, dynamic, llama3, yarn, longrope";

struct Spelling {
  std::optional<double> theta = {};
  std::optional<RopeScaling> scaling = {};
  std::optional<double> share = {};  // partial_rotary_factor
};

std::optional<double> optional_positive(const ConfigKeys& keys, const char* key) {
  const Json* value = keys.find(key);
  return value == nullptr ? std::nullopt : std::optional(keys.positive(key, *value));
}

void read_llama3(const ConfigKeys& keys, RopeScaling& rope) {
  rope.low_freq_factor = keys.need_positive("low_freq_factor");
  rope.high_freq_factor = keys.need_positive("high_freq_factor");
  rope.original_max_position = keys.need_integer("original_max_position_embeddings");
  if (rope.high_freq_factor <= rope.low_freq_factor)
    throw keys.unsupported("high_freq_factor must be above low_freq_factor",
                           std::string(ConfigKeys::kCopyIt));
}

void read_yarn(const ConfigKeys& keys, RopeScaling& rope) {
  rope.original_max_position = keys.need_integer("original_max_position_embeddings");
  rope.attention_factor = optional_positive(keys, "attention_factor");
  rope.beta_fast = optional_positive(keys, "beta_fast").value_or(32);
  rope.beta_slow = optional_positive(keys, "beta_slow").value_or(1);
  // Zero, like absence, leaves these two out of the derived attention factor.
  for (const auto& [key, into] :
       {std::pair{"mscale", &rope.mscale}, std::pair{"mscale_all_dim", &rope.mscale_all_dim}})
    if (const Json* value = keys.find(key); value != nullptr && *value != 0)
      *into = keys.positive(key, *value);
  rope.truncate = keys.boolean_or("truncate", true);
}

void read_longrope(const ConfigKeys& keys, const DecoderConfig& config, RopeScaling& rope) {
  const double share = config.rotary_share;
  const auto pairs = static_cast<size_t>(static_cast<double>(config.head_dim) * share) / 2;
  rope.short_factor = keys.positives("short_factor", keys.need("short_factor"));
  rope.long_factor = keys.positives("long_factor", keys.need("long_factor"));
  for (const auto* list : {&rope.short_factor, &rope.long_factor})
    if (list->size() != pairs)
      throw keys.unsupported("longrope has " + std::to_string(list->size()) + " factors for " +
                                 std::to_string(pairs) + " frequencies",
                             std::string(ConfigKeys::kCopyIt));
  rope.attention_factor = optional_positive(keys, "attention_factor");
  // Phi-3 keeps it outside this object; its reader has put it into the config by now.
  rope.original_max_position = config.rope.original_max_position != 0
                                   ? config.rope.original_max_position
                                   : keys.need_integer("original_max_position_embeddings");
  rope.factor = optional_positive(keys, "factor")
                    .value_or(static_cast<double>(config.max_positions) /
                              static_cast<double>(rope.original_max_position));
}

void say_the_same(const ConfigKeys& keys, const Spelling& a, const Spelling& b) {
  if ((a.theta && b.theta && *a.theta != *b.theta) ||
      (a.share && b.share && *a.share != *b.share) ||
      (a.scaling && b.scaling && !(*a.scaling == *b.scaling)))
    throw keys.unsupported("rope_parameters and rope_theta/rope_scaling say different things",
                           "keep the one the model was trained with");
}

}  // namespace

RopeScaling read_rope_scaling(const ConfigKeys& keys, const DecoderConfig& config) {
  RopeScaling rope;
  const Json* type = keys.find("rope_type");
  if (type == nullptr) type = keys.find("type");  // transformers 4's oldest spelling
  if (type != nullptr) rope.type = keys.text("rope_type", *type);
  // Phi-3's first name for longrope, and a label it was saved under by mistake.
  if (rope.type == "su" || (rope.type == "yarn" && config.model_type == "phi3"))
    rope.type = "longrope";
  if (rope.type == "default") return rope;
  if (rope.type == "longrope") {
    read_longrope(keys, config, rope);
    return rope;
  }
  if (rope.type != "linear" && rope.type != "dynamic" && rope.type != "llama3" &&
      rope.type != "yarn")
    throw keys.unsupported("rope type '" + rope.type.substr(0, 60) + "' is not supported", kKnown);
  rope.factor = keys.need_positive("factor");
  if (rope.type == "dynamic") rope.original_max_position = config.max_positions;
  if (rope.type == "llama3") read_llama3(keys, rope);
  if (rope.type == "yarn") read_yarn(keys, rope);
  return rope;
}

void read_rope(const ConfigKeys& keys, DecoderConfig& config) {
  Spelling four, five;
  four.theta = optional_positive(keys, "rope_theta");
  four.share = optional_positive(keys, "partial_rotary_factor");
  const Json* parameters = keys.find("rope_parameters");
  if (parameters != nullptr) {
    const ConfigKeys inner = keys.object("rope_parameters", *parameters);
    five.theta = optional_positive(inner, "rope_theta");
    five.share = optional_positive(inner, "partial_rotary_factor");
  }
  config.rotary_share = five.share.value_or(four.share.value_or(1));
  if (config.rotary_share != 1 && config.model_type != "phi3")
    throw keys.unsupported("partial_rotary_factor is not supported for " + config.architecture,
                           "only Phi-3 rotates a part of each head");
  if (config.rotary_share > 1)
    throw keys.unsupported("partial_rotary_factor is above 1", std::string(ConfigKeys::kCopyIt));
  if (const auto* scaling = keys.find("rope_scaling"))
    four.scaling = read_rope_scaling(keys.object("rope_scaling", *scaling), config);
  if (parameters != nullptr)
    five.scaling = read_rope_scaling(keys.object("rope_parameters", *parameters), config);
  say_the_same(keys, four, five);
  const auto theta = five.theta ? five.theta : four.theta;
  if (!theta)
    throw keys.missing("rope_theta",
                       "transformers assumes 10000 for a Llama without it; if that is right, add "
                       "\"rope_theta\": 10000.0 to config.json");
  config.rope_theta = *theta;
  config.rope = five.scaling.value_or(four.scaling.value_or(RopeScaling{}));
}

OrderedJson rope_json(double theta, const RopeScaling& rope) {
  OrderedJson json = {{"rope_type", rope.type}, {"rope_theta", theta}};
  if (rope.type == "default") return json;
  json["factor"] = rope.factor;
  if (rope.type == "linear" || rope.type == "dynamic") return json;
  if (rope.type == "llama3") {
    json["low_freq_factor"] = rope.low_freq_factor;
    json["high_freq_factor"] = rope.high_freq_factor;
  }
  json["original_max_position_embeddings"] = rope.original_max_position;
  if (rope.attention_factor) json["attention_factor"] = *rope.attention_factor;
  if (rope.type == "yarn") {
    json["beta_fast"] = rope.beta_fast;
    json["beta_slow"] = rope.beta_slow;
    if (rope.mscale) json["mscale"] = *rope.mscale;
    if (rope.mscale_all_dim) json["mscale_all_dim"] = *rope.mscale_all_dim;
    json["truncate"] = rope.truncate;
  }
  if (rope.type == "longrope") {
    json["short_factor"] = rope.short_factor;
    json["long_factor"] = rope.long_factor;
  }
  return json;
}

OrderedJson rope_scaling_json(const RopeScaling& rope) {
  if (rope.type == "default") return nullptr;
  OrderedJson json = rope_json(0, rope);
  json.erase("rope_theta");
  return json;
}

}  // namespace helio::checkpoint
