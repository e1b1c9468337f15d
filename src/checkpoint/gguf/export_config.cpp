// set_architecture(): from config.json to GGUF's metadata.
#include <fmt/format.h>

#include <cmath>

#include "checkpoint/gguf/export.h"
#include "checkpoint/gguf/rope.h"
#include "checkpoint/safetensors_header.h"
#include "core/error.h"

namespace helio::checkpoint {
namespace {

class Config {
 public:
  Config(const OrderedJson& object, const std::string& source) : object_(object), source_(source) {}

  Error fail(const std::string& what) const {
    return Error(ErrorKind::invalid, source_ + ": " + what)
        .with_hint("GGUF, or helio's writer of it, cannot say this model");
  }
  bool has(const char* key) const {
    return object_.is_object() && object_.contains(key) && !object_[key].is_null();
  }
  const OrderedJson& at(const char* key) const {
    if (has(key)) return object_[key];
    throw fail(fmt::format("'{}' is missing", key));
  }
  uint32_t count(const char* key) const {
    const auto& value = at(key);
    if (!value.is_number_integer() || value.get<int64_t>() < 0 ||
        value.get<int64_t>() > int64_t(1) << 31)
      throw fail(fmt::format("'{}' is not a count", key));
    return static_cast<uint32_t>(value.get<int64_t>());
  }
  uint32_t count(const char* key, uint32_t otherwise) const {
    return has(key) ? count(key) : otherwise;
  }
  double number(const char* key) const {
    const auto& value = at(key);
    if (!value.is_number() || !std::isfinite(value.get<double>()))
      throw fail(fmt::format("'{}' is not a number", key));
    return value.get<double>();
  }
  double number(const char* key, double otherwise) const {
    return has(key) ? number(key) : otherwise;
  }
  bool flag(const char* key, bool otherwise) const {
    return has(key) && object_[key].is_boolean() ? object_[key].get<bool>() : otherwise;
  }
  std::string text(const char* key, const char* otherwise) const {
    return has(key) && object_[key].is_string() ? object_[key].get<std::string>() : otherwise;
  }
  Config inside(const char* key) const { return Config(at(key), source_); }

 private:
  const OrderedJson& object_;
  const std::string& source_;
};

// Where transformers 5 and 4 keep RoPE's settings; Gemma 3 has a set for each kind of layer.
struct Rope {
  double theta = 10000, local_theta = 10000;
  OrderedJson scaling = nullptr;  // null, or an object with "rope_type" or "type"
};

Rope read_rope(const Config& config, const OrderedJson& object) {
  Rope rope;
  rope.theta = config.number("rope_theta", rope.theta);
  rope.local_theta = config.number("rope_local_base_freq", rope.local_theta);
  if (config.has("rope_scaling")) rope.scaling = object["rope_scaling"];
  if (config.has("rope_parameters")) {
    OrderedJson of = object["rope_parameters"];
    if (of.is_object() && of.contains("full_attention")) {
      const OrderedJson local = of.value("sliding_attention", OrderedJson::object());
      if (local.contains("rope_theta") && local["rope_theta"].is_number())
        rope.local_theta = local["rope_theta"].get<double>();
      of = OrderedJson(of["full_attention"]);
    }
    if (of.is_object() && of.contains("rope_theta") && of["rope_theta"].is_number())
      rope.theta = of["rope_theta"].get<double>();
    if (of.is_object() && of.contains("rope_type")) rope.scaling = of;
  }
  if (rope.scaling.is_object()) {
    const auto type = rope.scaling.contains("rope_type")
                          ? rope.scaling["rope_type"]
                          : rope.scaling.value("type", OrderedJson());
    if (!type.is_string() || type == "default") rope.scaling = nullptr;
    else rope.scaling["rope_type"] = type;
  }
  return rope;
}

std::vector<float> floats(const Config& config, const OrderedJson& list, size_t expected) {
  std::vector<float> out;
  if (list.is_array())
    for (const auto& value : list)
      if (value.is_number()) out.push_back(static_cast<float>(value.get<double>()));
  if (out.size() != expected)
    throw config.fail(fmt::format("the factors of RoPE are not {} numbers", expected));
  return out;
}

std::vector<ExtraTensor> set_rope(GgufPlan& plan, const std::string& prefix, const Config& config,
                                  const Rope& rope, uint32_t rotated) {
  plan.set_f32(prefix + "rope.freq_base", static_cast<float>(rope.theta));
  plan.set_u32(prefix + "rope.dimension_count", rotated);
  if (rope.scaling.is_null()) return {};
  const std::string source = "rope_scaling";
  const Config scaling(rope.scaling, source);
  const auto type = rope.scaling["rope_type"].get<std::string>();
  const auto set_original = [&] {
    if (scaling.has("original_max_position_embeddings"))
      plan.set_u32(prefix + "rope.scaling.original_context_length",
                   scaling.count("original_max_position_embeddings"));
    else if (config.has("original_max_position_embeddings"))
      plan.set_u32(prefix + "rope.scaling.original_context_length",
                   config.count("original_max_position_embeddings"));
  };
  if (type == "linear" || type == "yarn") {
    plan.set_string(prefix + "rope.scaling.type", type);
    plan.set_f32(prefix + "rope.scaling.factor", static_cast<float>(scaling.number("factor")));
    if (type == "yarn") {
      for (const char* key : {"attention_factor", "mscale", "mscale_all_dim"})
        if (scaling.has(key))
          throw config.fail(fmt::format("RoPE's '{}' has no place in GGUF", key));
      set_original();
    }
    return {};
  }
  if (type == "llama3") {
    const Llama3Scaling settings{
        .factor = scaling.number("factor"),
        .low_freq_factor = scaling.number("low_freq_factor", 1),
        .high_freq_factor = scaling.number("high_freq_factor", 4),
        .original_max_position = scaling.count("original_max_position_embeddings")};
    return {{"rope_freqs.weight", llama3_factors(settings, rope.theta, rotated)}};
  }
  if (type == "longrope") {
    set_original();
    const double longer = config.number("max_position_embeddings") /
                          scaling.number("original_max_position_embeddings",
                                         config.number("original_max_position_embeddings",
                                                       config.number("max_position_embeddings")));
    const double original = config.number("max_position_embeddings") / longer;
    plan.set_f32(prefix + "rope.scaling.attn_factor",
                 static_cast<float>(
                     longer <= 1 ? 1.0 : std::sqrt(1 + std::log(longer) / std::log(original))));
    return {{"rope_factors_long.weight", floats(config, scaling.at("long_factor"), rotated / 2)},
            {"rope_factors_short.weight", floats(config, scaling.at("short_factor"), rotated / 2)}};
  }
  throw config.fail("RoPE scaling '" + shown(type) + "' is not written");
}

std::vector<bool> sliding_layers(const Config& config, const OrderedJson& object, uint32_t layers,
                                 uint32_t usual_period) {
  std::vector<bool> out;
  if (config.has("layer_types")) {
    if (!object["layer_types"].is_array() || object["layer_types"].size() != layers)
      throw config.fail("'layer_types' has not one entry for each layer");
    for (const auto& type : object["layer_types"]) out.push_back(type == "sliding_attention");
    return out;
  }
  const uint32_t period =
      config.count("sliding_window_pattern", config.count("_sliding_window_pattern", usual_period));
  for (uint32_t i = 0; i < layers; ++i) out.push_back(period > 0 && (i + 1) % period != 0);
  return out;
}

}  // namespace

std::vector<ExtraTensor> set_architecture(GgufPlan& plan, const GgufFamily& family,
                                          const OrderedJson& object, const std::string& source) {
  const Config config(object, source);
  const std::string prefix = std::string(family.arch) + ".";
  const bool gemma = family.arch.starts_with("gemma");
  const uint32_t layers = config.count("num_hidden_layers"), hidden = config.count("hidden_size");
  const uint32_t heads = config.count("num_attention_heads");
  if (heads == 0) throw config.fail("'num_attention_heads' is 0");
  const uint32_t head = config.count("head_dim", hidden / heads);
  // llama.cpp has one activation for each architecture.
  const std::string activation = config.has("hidden_activation")
                                     ? config.text("hidden_activation", "")
                                     : config.text("hidden_act", gemma ? "gelu" : "silu");
  if (gemma ? activation != "gelu_pytorch_tanh" && activation != "gelu" : activation != "silu")
    throw config.fail("activation '" + shown(activation) + "' is not this architecture's");
  if (config.flag("use_sliding_window", false))
    throw config.fail("layers with a sliding window are not written for " +
                      std::string(family.arch));
  if (family.arch == "llama" && config.has("sliding_window"))
    throw config.fail(
        "'sliding_window' is set, which llama.cpp does not apply to this architecture");

  plan.set_u32(prefix + "vocab_size", config.count("vocab_size"));
  plan.set_u32(prefix + "context_length", config.count("max_position_embeddings"));
  plan.set_u32(prefix + "embedding_length", hidden);
  plan.set_u32(prefix + "block_count", layers);
  plan.set_u32(prefix + "feed_forward_length", config.count("intermediate_size"));
  plan.set_u32(prefix + "attention.head_count", heads);
  plan.set_u32(prefix + "attention.head_count_kv", config.count("num_key_value_heads", heads));
  plan.set_f32(prefix + "attention.layer_norm_rms_epsilon",
               static_cast<float>(config.number("rms_norm_eps")));
  plan.set_u32(prefix + "attention.key_length", head);
  plan.set_u32(prefix + "attention.value_length", head);
  const Rope rope = read_rope(config, object);
  const double partial = config.number("partial_rotary_factor", 1);
  if (partial != 1 && family.arch != "phi3")
    throw config.fail("'partial_rotary_factor' has no place in GGUF for this architecture");
  const auto rotated = static_cast<uint32_t>(static_cast<double>(head) * partial);
  auto extra = set_rope(plan, prefix, config, rope, rotated);
  if (family.arch == "phi3") {
    if (!extra.empty() || !config.has("original_max_position_embeddings")) {
      if (extra.empty())
        plan.set_u32(prefix + "rope.scaling.original_context_length",
                     config.count("max_position_embeddings"));
    } else {
      plan.set_u32(prefix + "rope.scaling.original_context_length",
                   config.count("original_max_position_embeddings"));
    }
    if (config.has("sliding_window"))
      plan.set_u32(prefix + "attention.sliding_window", config.count("sliding_window"));
  }
  if (family.four_norms) {
    const bool third = family.arch == "gemma3";
    plan.set_u32(prefix + "attention.sliding_window", config.count("sliding_window"));
    plan.set_booleans(prefix + "attention.sliding_window_pattern",
                      sliding_layers(config, object, layers, third ? 6 : 2));
    if (third) plan.set_f32(prefix + "rope.freq_base_swa", static_cast<float>(rope.local_theta));
    for (const char* cap : {"attn_logit_softcapping", "final_logit_softcapping"})
      if (config.has(cap)) plan.set_f32(prefix + cap, static_cast<float>(config.number(cap)));
    // llama.cpp derives the attention scale: hidden / heads for the depth of the 27B model.
    const double scalar = config.number("query_pre_attn_scalar", 256);
    const double theirs = layers == (third ? 62 : 46) ? hidden / heads : head;
    if (scalar != theirs)
      throw config.fail(fmt::format(
          "'query_pre_attn_scalar' is {}, and llama.cpp would compute with {}", scalar, theirs));
  }
  return extra;
}

}  // namespace helio::checkpoint
