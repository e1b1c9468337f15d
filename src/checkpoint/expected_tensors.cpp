#include "checkpoint/expected_tensors.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "checkpoint/safetensors_header.h"
#include "core/error.h"

namespace helio::checkpoint {
namespace {

class Reader {
 public:
  Reader(const OrderedJson& config, const std::string& source) : config_(config), source_(source) {}

  bool has(const char* key) const { return config_.contains(key) && !config_[key].is_null(); }
  int64_t count(const char* key) const {
    if (has(key) && config_[key].is_number_integer() && config_[key].get<int64_t>() > 0 &&
        config_[key].get<int64_t>() <= int64_t(1) << 30)
      return config_[key].get<int64_t>();
    throw Error(ErrorKind::invalid, fmt::format("{}: '{}' is {}", source_, key,
                                                has(key) ? "not a count above 0" : "missing"))
        .with_hint("copy config.json from the model this checkpoint was made from");
  }
  bool flag(const char* key, std::optional<bool> when_missing) const {
    if (!has(key)) return *when_missing;
    if (config_[key].is_boolean()) return config_[key].get<bool>();
    throw Error(ErrorKind::invalid, fmt::format("{}: '{}' is not true or false", source_, key))
        .with_hint("copy config.json from the model this checkpoint was made from");
  }

 private:
  const OrderedJson& config_;
  const std::string& source_;
};

std::string shape_text(const std::vector<int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

}  // namespace

std::optional<std::vector<ExpectedTensor>> expected_tensors(const OrderedJson& config,
                                                            const std::string& source) {
  static const std::set<std::string, std::less<>> families = {
      "llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text", "phi3"};
  if (!config.is_object() || !config.contains("model_type") || !config["model_type"].is_string())
    return std::nullopt;
  const auto family = config["model_type"].get<std::string>();
  if (!families.contains(family)) return std::nullopt;
  const Reader read(config, source);
  const int64_t vocabulary = read.count("vocab_size"), hidden = read.count("hidden_size");
  const int64_t ffn = read.count("intermediate_size"), layers = read.count("num_hidden_layers");
  const int64_t heads = read.count("num_attention_heads");
  const int64_t kv_heads =
      read.has("num_key_value_heads") ? read.count("num_key_value_heads") : heads;
  const int64_t head = read.has("head_dim") ? read.count("head_dim") : hidden / heads;
  const bool gemma = family.starts_with("gemma");
  const bool tied = read.flag("tie_word_embeddings", gemma);
  const bool attention_bias = family == "qwen2" || read.flag("attention_bias", false);
  const bool output_bias = family != "qwen2" && attention_bias;
  const bool mlp_bias = family == "llama" && read.flag("mlp_bias", false);
  const bool head_norms = family == "qwen3" || family == "gemma3_text";
  if (layers > 100'000)
    throw Error(ErrorKind::invalid,
                fmt::format("{}: 'num_hidden_layers' is {}; no model has so many", source, layers))
        .with_hint("config.json is damaged");

  std::vector<ExpectedTensor> out;
  const auto add = [&](std::string name, std::vector<int64_t> shape) {
    out.push_back({.name = std::move(name), .shape = std::move(shape)});
  };
  add("model.embed_tokens.weight", {vocabulary, hidden});
  for (int64_t i = 0; i < layers; ++i) {
    const std::string layer = fmt::format("model.layers.{}.", i);
    const auto linear = [&](const char* name, int64_t rows, int64_t columns, bool bias) {
      add(layer + name + ".weight", {rows, columns});
      if (bias) add(layer + name + ".bias", {rows});
    };
    add(layer + "input_layernorm.weight", {hidden});
    if (family == "phi3") {
      linear("self_attn.qkv_proj", (heads + 2 * kv_heads) * head, hidden, false);
      linear("mlp.gate_up_proj", 2 * ffn, hidden, false);
    } else {
      linear("self_attn.q_proj", heads * head, hidden, attention_bias);
      linear("self_attn.k_proj", kv_heads * head, hidden, attention_bias);
      linear("self_attn.v_proj", kv_heads * head, hidden, attention_bias);
      linear("mlp.gate_proj", ffn, hidden, mlp_bias);
      linear("mlp.up_proj", ffn, hidden, mlp_bias);
    }
    linear("self_attn.o_proj", hidden, heads * head, output_bias);
    linear("mlp.down_proj", hidden, ffn, mlp_bias);
    add(layer + "post_attention_layernorm.weight", {hidden});
    if (family == "gemma2" || family == "gemma3_text") {
      add(layer + "pre_feedforward_layernorm.weight", {hidden});
      add(layer + "post_feedforward_layernorm.weight", {hidden});
    }
    if (head_norms) {
      add(layer + "self_attn.q_norm.weight", {head});
      add(layer + "self_attn.k_norm.weight", {head});
    }
  }
  add("model.norm.weight", {hidden});
  add("lm_head.weight", {vocabulary, hidden});
  out.back().optional = tied;
  return out;
}

std::vector<std::string> tensor_differences(const std::vector<ExpectedTensor>& expected,
                                            const std::vector<FoundTensor>& found) {
  std::map<std::string_view, const FoundTensor*> there;
  for (const auto& tensor : found) there[tensor.name] = &tensor;
  std::vector<std::string> lines;
  for (const auto& tensor : expected) {
    const auto it = there.find(tensor.name);
    if (it == there.end()) {
      if (!tensor.optional) lines.push_back("tensor '" + tensor.name + "' is missing");
      continue;
    }
    if (it->second->shape != tensor.shape)
      lines.push_back(fmt::format("tensor '{}' has shape {}, config.json asks for {}", tensor.name,
                                  shape_text(it->second->shape), shape_text(tensor.shape)));
    there.erase(it);
  }
  for (const auto& [name, tensor] : there)
    if (!name.ends_with(".inv_freq"))  // a table that old checkpoints keep
      lines.push_back(fmt::format("tensor '{}' is none of the model's", shown(name)));
  return lines;
}

}  // namespace helio::checkpoint
