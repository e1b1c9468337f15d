#include "checkpoint/family.h"

#include <fmt/format.h>

namespace helio::checkpoint {
namespace {

constexpr const char* kSliding = "sliding_attention";
constexpr const char* kFull = "full_attention";

void slide_from(DecoderConfig& config, int64_t first) {
  for (int64_t i = 0; i < config.layers; ++i)
    config.layer_kinds.push_back(i >= first ? LayerKind::sliding : LayerKind::full);
}

}  // namespace

void read_tied(const ConfigKeys& keys, DecoderConfig& config) {
  config.tied_embeddings = keys.boolean("tie_word_embeddings", keys.need("tie_word_embeddings"));
}

void read_heads(const ConfigKeys& keys, DecoderConfig& config) {
  if (!keys.says("num_key_value_heads")) throw keys.missing("num_key_value_heads");
  read_heads_or_all(keys, config);
}

void read_heads_or_all(const ConfigKeys& keys, DecoderConfig& config) {
  const Json* heads = keys.find("num_key_value_heads");
  config.kv_heads = heads == nullptr ? config.heads : keys.integer("num_key_value_heads", *heads);
}

void read_head_dim(const ConfigKeys& keys, DecoderConfig& config) {
  config.head_dim = keys.need_integer("head_dim");
}

void read_head_dim_or_share(const ConfigKeys& keys, DecoderConfig& config) {
  if (keys.find("head_dim") != nullptr) return read_head_dim(keys, config);
  if (config.hidden_size % config.heads != 0)
    throw keys.unsupported(
        fmt::format("hidden_size {} is no multiple of {} heads, and there is no head_dim",
                    config.hidden_size, config.heads),
        std::string(ConfigKeys::kCopyIt));
  config.head_dim = config.hidden_size / config.heads;
}

void read_silu(const ConfigKeys& keys, DecoderConfig& config) {
  const Json& activation = keys.need("hidden_act");
  if (activation != "silu" && activation != "swish")
    throw keys.bad("hidden_act", activation, "'silu'");
  config.activation = Activation::silu;
}

void read_attention_bias(const ConfigKeys& keys, DecoderConfig& config) {
  config.qkv_bias = config.output_bias = keys.boolean_or("attention_bias", false);
}

void read_window_everywhere(const ConfigKeys& keys, DecoderConfig& config) {
  if (!keys.says("sliding_window"))
    throw keys.missing("sliding_window", "null: every token attends to all before it");
  if (const Json* window = keys.find("sliding_window")) {
    config.window = keys.integer("sliding_window", *window);
    slide_from(config, 0);
  }
  // transformers ignores such a list here: one that says otherwise is a trap.
  DecoderConfig listed = config;
  listed.layer_kinds.clear();
  if (read_layer_kinds(keys, listed))
    for (int64_t i = 0; i < config.layers; ++i)
      if (listed.slides(i) != config.slides(i))
        throw keys.bad("layer_types", *keys.find("layer_types"), "what sliding_window says");
}

bool read_layer_kinds(const ConfigKeys& keys, DecoderConfig& config) {
  const Json* list = keys.find("layer_types");
  if (list == nullptr) return false;
  if (!list->is_array() || list->size() != static_cast<size_t>(config.layers))
    throw keys.bad("layer_types", *list, fmt::format("a list of {} kinds", config.layers));
  for (const Json& kind : *list) {
    if (kind != kSliding && kind != kFull)
      throw keys.bad("layer_types", *list, fmt::format("'{}' or '{}' each", kFull, kSliding));
    config.layer_kinds.push_back(kind == kSliding ? LayerKind::sliding : LayerKind::full);
  }
  return true;
}

void read_qwen_windows(const ConfigKeys& keys, DecoderConfig& config) {
  const Json* window = keys.find("sliding_window");
  const bool windows = keys.boolean_or("use_sliding_window", false) && window != nullptr;
  if (windows) config.window = keys.integer("sliding_window", *window);
  if (read_layer_kinds(keys, config)) {
    for (int64_t i = 0; i < config.layers; ++i)
      if (config.slides(i) && !windows)
        throw keys.bad("layer_types", *keys.find("layer_types"),
                       "full_attention in every layer, as there is no window");
    return;
  }
  if (windows)
    slide_from(config,
               keys.integer("max_window_layers", keys.need("max_window_layers"), /*low=*/0));
}

void read_gemma(const ConfigKeys& keys, DecoderConfig& config, const char* activation_key) {
  const Json& activation = keys.need(activation_key);
  // "gelu" in the first releases meant the tanh form, and transformers reads Gemma's so.
  const bool legacy = activation == "gelu" && config.model_type == "gemma";
  if (activation != "gelu_pytorch_tanh" && !legacy)
    throw keys.bad(activation_key, activation, "'gelu_pytorch_tanh'");
  config.activation = Activation::gelu_tanh;
  config.norm_weight = NormWeight::plus_one;
  config.scaled_embedding = true;
  // Every Gemma is tied, and transformers 4 leaves the key out.
  config.tied_embeddings = keys.boolean_or("tie_word_embeddings", true);
  read_heads(keys, config);
  read_head_dim(keys, config);
  read_attention_bias(keys, config);
  keys.only("use_bidirectional_attention", false, "false (only causal attention is run here)");
}

void read_gemma_windows(const ConfigKeys& keys, DecoderConfig& config) {
  config.window = keys.need_integer("sliding_window");
  read_layer_kinds(keys, config);
}

OrderedJson window_json(const DecoderConfig& config) {
  return config.window == 0 ? OrderedJson(nullptr) : OrderedJson(config.window);
}

int64_t first_sliding(const DecoderConfig& config) {
  int64_t i = 0;
  while (i < config.layers && !config.slides(i)) ++i;
  return i;
}

OrderedJson layer_types_json(const DecoderConfig& config) {
  auto list = OrderedJson::array();
  for (int64_t i = 0; i < config.layers; ++i) list.push_back(config.slides(i) ? kSliding : kFull);
  return list;
}

}  // namespace helio::checkpoint
