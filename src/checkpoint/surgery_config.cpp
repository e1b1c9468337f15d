#include "checkpoint/surgery_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "checkpoint/hf_config.h"
#include "checkpoint/safetensors_header.h"
#include "checkpoint/surgery_model.h"
#include "core/error.h"

namespace helio::checkpoint {
namespace {

bool has(const OrderedJson& config, const char* key) {
  const auto it = config.find(key);
  return it != config.end() && !it->is_null();
}

std::string architecture_of(const OrderedJson& config) {
  const auto it = config.find("architectures");
  return it != config.end() && it->is_array() && it->size() == 1 && (*it)[0].is_string()
             ? (*it)[0].get<std::string>()
             : std::string();
}

int64_t number_or(const OrderedJson& config, const char* key, int64_t otherwise) {
  return has(config, key) && config[key].is_number_integer() ? config[key].get<int64_t>()
                                                             : otherwise;
}

// The kind of attention of each layer, from the list or from the family's rule; empty where the
// family has one kind for all. Rules as in transformers 5.23: Qwen 2 and 3 look through a window
// from a layer on; Gemma 2 every other layer; Gemma 3 all but every sixth, or as
// sliding_window_pattern says.
std::vector<OrderedJson> kinds_of_layers(const OrderedJson& config, int64_t layers,
                                         const std::string& origin) {
  std::vector<OrderedJson> kinds;
  if (has(config, "layer_types")) {
    const OrderedJson& list = config["layer_types"];
    if (!list.is_array() || list.size() != static_cast<size_t>(layers))
      throw Error(ErrorKind::invalid,
                  fmt::format("{}: 'layer_types' does not have one entry for each of the {} layers",
                              origin, layers));
    kinds.assign(list.begin(), list.end());
    return kinds;
  }
  const std::string name = architecture_of(config);
  const bool qwen = (name == "Qwen2ForCausalLM" || name == "Qwen3ForCausalLM") &&
                    has(config, "use_sliding_window") && config["use_sliding_window"] == true &&
                    (!config.contains("sliding_window") || has(config, "sliding_window"));
  const bool gemma2 = name == "Gemma2ForCausalLM", gemma3 = name == "Gemma3ForCausalLM";
  if (!qwen && !gemma2 && !gemma3) return kinds;
  const int64_t first = number_or(config, "max_window_layers", 28);
  const int64_t said =
      number_or(config, "sliding_window_pattern", number_or(config, "_sliding_window_pattern", 6));
  const int64_t period = gemma2 ? 2 : std::max<int64_t>(1, said);
  for (int64_t i = 0; i < layers; ++i) {
    const bool slides = qwen ? i >= first : (i + 1) % period != 0;
    kinds.emplace_back(slides ? "sliding_attention" : "full_attention");
  }
  return kinds;
}

}  // namespace

void check_layered(const OrderedJson& config, const std::string& origin) {
  const std::string name = architecture_of(config);
  const auto families = decoder_architectures();
  if (std::find(families.begin(), families.end(), name) == families.end())
    throw Error(
        ErrorKind::invalid,
        fmt::format("{}: architecture '{}' cannot be up-scaled or merged", origin, shown(name)))
        .with_hint(fmt::format("supported: {}", fmt::join(families, ", ")));
  // Lists and rules by layer of architectures that derive from these.
  for (const char* key : {"mlp_layer_types", "no_rope_layers", "no_rope_layer_interval",
                          "num_kv_shared_layers", "attn_layer_period", "full_attention_interval"})
    if (has(config, key))
      throw Error(
          ErrorKind::invalid,
          fmt::format("{}: '{}' depends on the layer's number and is not known here", origin, key))
          .with_hint("a model with other layers would silently be another one");
}

std::vector<bool> dense_layers(const OrderedJson& config, int64_t layers,
                               const std::string& origin) {
  std::vector<bool> dense(static_cast<size_t>(layers), false);
  if (architecture_of(config) != "Qwen3MoeForCausalLM") return dense;
  const int64_t step = number_or(config, "decoder_sparse_step", 1);
  if (step < 1)
    throw Error(ErrorKind::invalid, origin + ": 'decoder_sparse_step' is not a number above 0");
  for (int64_t i = 0; i < layers; ++i) dense[static_cast<size_t>(i)] = (i + 1) % step != 0;
  if (!has(config, "mlp_only_layers")) return dense;
  if (!config["mlp_only_layers"].is_array())
    throw Error(ErrorKind::invalid, origin + ": 'mlp_only_layers' is not a list of layer numbers");
  for (const auto& layer : config["mlp_only_layers"]) {
    if (!layer.is_number_integer())
      throw Error(ErrorKind::invalid,
                  origin + ": 'mlp_only_layers' is not a list of layer numbers");
    if (const auto i = layer.get<int64_t>(); i >= 0 && i < layers)
      dense[static_cast<size_t>(i)] = true;
  }
  return dense;
}

OrderedJson config_of_layers(const OrderedJson& base, std::span<const ConfigLayer> layers,
                             const std::string& origin) {
  struct Facts {
    std::vector<OrderedJson> kinds = {};
    std::vector<bool> dense = {};
  };
  std::map<const OrderedJson*, Facts> models;
  bool listed = has(base, "layer_types"), some_dense = false;
  for (const auto& one : layers) {
    if (models.contains(one.config)) continue;
    const int64_t count = layers_of(*one.config, origin);
    auto& facts = models[one.config];
    facts = {.kinds = kinds_of_layers(*one.config, count, origin),
             .dense = dense_layers(*one.config, count, origin)};
    listed = listed || !facts.kinds.empty();
    some_dense =
        some_dense || std::find(facts.dense.begin(), facts.dense.end(), true) != facts.dense.end();
  }
  OrderedJson config = base;
  config["num_hidden_layers"] = layers.size();
  auto kinds = OrderedJson::array(), dense = OrderedJson::array();
  for (size_t i = 0; i < layers.size(); ++i) {
    const Facts& from = models.at(layers[i].config);
    const auto layer = static_cast<size_t>(layers[i].layer);
    kinds.push_back(from.kinds.empty() ? OrderedJson("full_attention") : from.kinds.at(layer));
    if (from.dense.at(layer)) dense.push_back(i);
  }
  if (listed) {
    config["layer_types"] = kinds;
    // Rules that the list has taken the place of: they would say something else now.
    config.erase("sliding_window_pattern");
    config.erase("_sliding_window_pattern");
  }
  if (some_dense) {
    config["mlp_only_layers"] = dense;
    config["decoder_sparse_step"] = 1;
  }
  return config;
}

}  // namespace helio::checkpoint
