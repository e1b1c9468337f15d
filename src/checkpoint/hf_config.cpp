#include "checkpoint/hf_config.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace helio::checkpoint {
namespace {

constexpr std::string_view kArchitectures =
    "LlamaForCausalLM, MistralForCausalLM (without a sliding window)";

// Reads keys of one JSON object; every error names the file and the key.
class Keys {
 public:
  Keys(const Json& object, const std::string& source, std::string prefix = {})
      : object_(object), source_(source), prefix_(std::move(prefix)) {
    if (object.is_object()) return;
    const std::string what = prefix_.empty() ? "the file" : prefix_.substr(0, prefix_.size() - 1);
    throw Error(ErrorKind::invalid, source_ + ": " + what + " is not a JSON object")
        .with_hint("copy it from the model this checkpoint was made from");
  }

  // Null counts as absent: transformers writes null for "not set".
  const Json* find(const char* key) const {
    const auto it = object_.find(key);
    return it == object_.end() || it->is_null() ? nullptr : &*it;
  }
  const Json& need(const char* key, std::string_view why) const {
    if (const auto* value = find(key)) return *value;
    throw Error(ErrorKind::invalid,
                fmt::format("{}: '{}{}' is missing, and the model's numbers depend on it", source_,
                            prefix_, key))
        .with_hint(std::string(why));
  }

  int64_t integer(const char* key, const Json& value, int64_t low = 1) const {
    constexpr int64_t most = int64_t(1) << 31;  // far above any model; keeps products within 2^63
    if (!value.is_number_integer() ||
        (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t(most)) ||
        value.get<int64_t>() < low || value.get<int64_t>() > most)
      throw bad(key, value, fmt::format("a whole number from {} to {}", low, most));
    return value.get<int64_t>();
  }
  int64_t need_integer(const char* key) const {
    return integer(key, need(key, "copy it from the model this checkpoint was made from"));
  }
  double positive(const char* key, const Json& value) const {
    if (!value.is_number() || !std::isfinite(value.get<double>()) || value.get<double>() <= 0)
      throw bad(key, value, "a number above 0");
    return value.get<double>();
  }
  double need_positive(const char* key, std::string_view why) const {
    return positive(key, need(key, why));
  }
  bool boolean(const char* key, const Json& value) const {
    if (!value.is_boolean()) throw bad(key, value, "true or false");
    return value.get<bool>();
  }
  std::string text(const char* key, const Json& value) const {
    if (!value.is_string()) throw bad(key, value, "a string");
    return value.get<std::string>();
  }

  Error bad(const char* key, const Json& value, const std::string& expected) const {
    std::string got = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (got.size() > 60) got = got.substr(0, 60) + "...";
    return Error(ErrorKind::invalid,
                 fmt::format("{}: '{}{}' is {}, not {}", source_, prefix_, key, got, expected));
  }
  Error unsupported(const std::string& what, const std::string& hint) const {
    return Error(ErrorKind::invalid, source_ + ": " + what).with_hint(hint);
  }

 private:
  const Json& object_;
  const std::string& source_;
  std::string prefix_;
};

struct Rope {
  std::optional<double> theta = {};
  std::optional<RopeScaling> scaling = {};
};

// One object that says how positions are scaled: transformers 5's rope_parameters, or 4's
// rope_scaling (whose oldest form calls rope_type just "type").
RopeScaling read_scaling(const Keys& keys) {
  RopeScaling rope;
  const Json* type = keys.find("rope_type");
  if (type == nullptr) type = keys.find("type");
  if (type != nullptr) rope.type = keys.text("rope_type", *type);
  if (rope.type == "default") return rope;
  if (rope.type != "linear" && rope.type != "llama3")
    throw keys.unsupported("rope type '" + rope.type.substr(0, 60) + "' is not supported",
                           "supported: default, linear, llama3");
  constexpr std::string_view why = "copy it from the model this checkpoint was made from";
  rope.factor = keys.need_positive("factor", why);
  if (rope.type == "llama3") {
    rope.low_freq_factor = keys.need_positive("low_freq_factor", why);
    rope.high_freq_factor = keys.need_positive("high_freq_factor", why);
    rope.original_max_position = keys.need_integer("original_max_position_embeddings");
    if (rope.high_freq_factor <= rope.low_freq_factor)
      throw keys.unsupported("high_freq_factor must be above low_freq_factor", std::string(why));
  }
  return rope;
}

bool same(const RopeScaling& a, const RopeScaling& b) {
  if (a.type != b.type || a.factor != b.factor) return false;
  return a.type != "llama3" ||
         (a.low_freq_factor == b.low_freq_factor && a.high_freq_factor == b.high_freq_factor &&
          a.original_max_position == b.original_max_position);
}

void read_rope(const Keys& keys, const std::string& source, DecoderConfig& config) {
  Rope old_form, new_form;
  if (const auto* theta = keys.find("rope_theta"))
    old_form.theta = keys.positive("rope_theta", *theta);
  if (const auto* scaling = keys.find("rope_scaling"))
    old_form.scaling = read_scaling(Keys(*scaling, source, "rope_scaling."));
  if (const auto* parameters = keys.find("rope_parameters")) {
    const Keys inner(*parameters, source, "rope_parameters.");
    if (const auto* theta = inner.find("rope_theta"))
      new_form.theta = inner.positive("rope_theta", *theta);
    new_form.scaling = read_scaling(inner);
    if (inner.find("partial_rotary_factor") != nullptr &&
        inner.positive("partial_rotary_factor", *inner.find("partial_rotary_factor")) != 1)
      throw inner.unsupported("partial_rotary_factor is not supported",
                              "only full rotary embeddings are run");
  }
  if ((old_form.theta && new_form.theta && *old_form.theta != *new_form.theta) ||
      (old_form.scaling && new_form.scaling && !same(*old_form.scaling, *new_form.scaling)))
    throw keys.unsupported("rope_parameters and rope_theta/rope_scaling say different things",
                           "keep the one the model was trained with");
  const auto theta = new_form.theta ? new_form.theta : old_form.theta;
  if (!theta)
    keys.need("rope_theta",
              "transformers assumes 10000 for a Llama without it; if that is right, add "
              "\"rope_theta\": 10000.0 to config.json");
  config.rope_theta = theta.value_or(0);
  config.rope = new_form.scaling.value_or(old_form.scaling.value_or(RopeScaling{}));
}

void refuse_other_models(const Keys& keys, DecoderConfig& config) {
  const Json& list = keys.need("architectures", "supported: " + std::string(kArchitectures));
  if (!list.is_array() || list.size() != 1 || !list[0].is_string())
    throw keys.bad("architectures", list, "a list of one name");
  config.architecture = list[0].get<std::string>();
  const bool mistral = config.architecture == "MistralForCausalLM";
  if (!mistral && config.architecture != "LlamaForCausalLM")
    throw keys.unsupported(
        "architecture '" + config.architecture.substr(0, 80) + "' is not supported",
        "supported: " + std::string(kArchitectures));
  config.model_type = mistral ? "mistral" : "llama";
  if (const auto* type = keys.find("model_type"); type != nullptr && *type != config.model_type)
    throw keys.bad("model_type", *type,
                   "'" + config.model_type + "' as " + config.architecture + " has");
  if (const auto* window = keys.find("sliding_window"); window != nullptr && mistral)
    throw keys.bad(
        "sliding_window", *window,
        "null (attention within a window is not run here; Mistral 7B v0.2 and later have none)");
  for (const char* bias : {"attention_bias", "mlp_bias"})
    if (const auto* value = keys.find(bias); value != nullptr && keys.boolean(bias, *value))
      throw keys.bad(bias, *value, "false (linear layers with biases are not run here)");
  if (keys.find("quantization_config") != nullptr)
    throw keys.unsupported("the weights are quantised ('quantization_config')",
                           "use the original float16, bfloat16 or float32 checkpoint");
  if (const auto* types = keys.find("layer_types"))
    for (const auto& type : *types)
      if (type != "full_attention")
        throw keys.bad("layer_types", *types, "full_attention in every layer");
}

void read_token_ids(const Keys& keys, DecoderConfig& config) {
  const auto id = [&](const char* key) -> std::optional<int64_t> {
    const auto* value = keys.find(key);
    // Llama 3 lists several ends of text; the first is the one generation configs agree on.
    if (value != nullptr && value->is_array()) value = value->empty() ? nullptr : &value->front();
    if (value == nullptr) return std::nullopt;
    // Older LLaMA conversions say -1 for "no padding token".
    if (*value == -1) return std::nullopt;
    return keys.integer(key, *value, 0);
  };
  config.bos = id("bos_token_id");
  config.eos = id("eos_token_id");
  config.pad = id("pad_token_id");
}

void check_shape(const Keys& keys, const DecoderConfig& config) {
  if (config.heads % config.kv_heads != 0)
    throw keys.unsupported(fmt::format("{} attention heads cannot share {} key/value heads",
                                       config.heads, config.kv_heads),
                           "num_attention_heads must be a multiple of num_key_value_heads");
  if (config.head_dim % 2 != 0)
    throw keys.unsupported(
        fmt::format("head_dim {} is odd; rotary embeddings need pairs", config.head_dim),
        "check head_dim, hidden_size and num_attention_heads");
  // In floating point, because the exact count is what may overflow.
  const double hidden = double(config.hidden_size), width = double(config.head_dim);
  const double total =
      double(config.vocab_size) * hidden * 2 +
      double(config.layers) * (hidden * width * 2 * double(config.heads + config.kv_heads) +
                               3 * hidden * double(config.intermediate_size) + 2 * hidden);
  if (total > 1e17)
    throw keys.unsupported(fmt::format("a model of {:.1e} parameters", total),
                           "a number in config.json is wrong");
}

}  // namespace

int64_t DecoderConfig::parameters_per_layer() const {
  const int64_t attention = hidden_size * head_dim * 2 * (heads + kv_heads);
  return attention + 3 * hidden_size * intermediate_size + 2 * hidden_size;
}

int64_t DecoderConfig::parameters() const {
  return vocab_size * hidden_size * (tied_embeddings ? 1 : 2) + layers * parameters_per_layer() +
         hidden_size;
}

DecoderConfig parse_decoder_config(const Json& json, const std::string& source) {
  const Keys keys(json, source);
  constexpr std::string_view copy = "copy it from the model this checkpoint was made from";
  DecoderConfig config;
  refuse_other_models(keys, config);
  config.vocab_size = keys.need_integer("vocab_size");
  config.hidden_size = keys.need_integer("hidden_size");
  config.intermediate_size = keys.need_integer("intermediate_size");
  config.layers = keys.need_integer("num_hidden_layers");
  config.heads = keys.need_integer("num_attention_heads");
  config.max_positions = keys.need_integer("max_position_embeddings");
  config.rms_norm_eps = keys.need_positive("rms_norm_eps", copy);
  const Json& activation = keys.need("hidden_act", copy);
  if (activation != "silu" && activation != "swish")
    throw keys.bad("hidden_act", activation, "'silu'");
  config.tied_embeddings =
      keys.boolean("tie_word_embeddings", keys.need("tie_word_embeddings", copy));

  // Models older than grouped-query attention have no such key: as many as heads. Mistral's own
  // default is another number, so there it must be said.
  const auto* kv_heads =
      json.find("num_key_value_heads") != json.end() || config.model_type == "llama"
          ? keys.find("num_key_value_heads")
          : &keys.need("num_key_value_heads", copy);
  config.kv_heads =
      kv_heads == nullptr ? config.heads : keys.integer("num_key_value_heads", *kv_heads);
  if (const auto* head_dim = keys.find("head_dim")) {
    config.head_dim = keys.integer("head_dim", *head_dim);
  } else {
    if (config.hidden_size % config.heads != 0)
      throw keys.unsupported(
          fmt::format("hidden_size {} is no multiple of {} heads, and there is no head_dim",
                      config.hidden_size, config.heads),
          std::string(copy));
    config.head_dim = config.hidden_size / config.heads;
  }
  read_rope(keys, source, config);
  const auto* dtype = keys.find("dtype");
  if (dtype == nullptr) dtype = keys.find("torch_dtype");
  if (dtype != nullptr) config.dtype = keys.text("dtype", *dtype);
  if (const auto* range = keys.find("initializer_range"))
    config.initializer_range = keys.positive("initializer_range", *range);
  read_token_ids(keys, config);
  check_shape(keys, config);
  return config;
}

DecoderConfig load_decoder_config(const std::filesystem::path& dir) {
  const auto path = dir / "config.json";
  if (!std::filesystem::exists(path))
    throw Error(ErrorKind::not_found, "there is no '" + path.string() + "'")
        .with_hint("give a Hugging Face model folder: config.json beside model.safetensors");
  return parse_decoder_config(load_json(path), path.string());
}

OrderedJson decoder_config_json(const DecoderConfig& config) {
  OrderedJson rope = {{"rope_type", config.rope.type}, {"rope_theta", config.rope_theta}};
  if (config.rope.type != "default") rope["factor"] = config.rope.factor;
  if (config.rope.type == "llama3") {
    rope["low_freq_factor"] = config.rope.low_freq_factor;
    rope["high_freq_factor"] = config.rope.high_freq_factor;
    rope["original_max_position_embeddings"] = config.rope.original_max_position;
  }
  OrderedJson scaling = nullptr;  // transformers 4's form: the same without rope_theta
  if (config.rope.type != "default") {
    scaling = rope;
    scaling.erase("rope_theta");
  }
  const auto id = [](const std::optional<int64_t>& value) {
    return value ? OrderedJson(*value) : OrderedJson(nullptr);
  };
  OrderedJson json = {
      {"architectures", {config.architecture}},
      {"attention_bias", false},
      {"attention_dropout", 0.0},
      {"bos_token_id", id(config.bos)},
      {"dtype", config.dtype},
      {"eos_token_id", id(config.eos)},
      {"head_dim", config.head_dim},
      {"hidden_act", "silu"},
      {"hidden_size", config.hidden_size},
      {"initializer_range", config.initializer_range},
      {"intermediate_size", config.intermediate_size},
      {"max_position_embeddings", config.max_positions},
      {"mlp_bias", false},
      {"model_type", config.model_type},
      {"num_attention_heads", config.heads},
      {"num_hidden_layers", config.layers},
      {"num_key_value_heads", config.kv_heads},
      {"pad_token_id", id(config.pad)},
      {"rms_norm_eps", config.rms_norm_eps},
      {"rope_parameters", rope},
      {"rope_scaling", scaling},
      {"rope_theta", config.rope_theta},
      {"tie_word_embeddings", config.tied_embeddings},
      {"torch_dtype", config.dtype},
      {"use_cache", true},
      {"vocab_size", config.vocab_size},
  };
  if (config.model_type == "mistral") {
    json["sliding_window"] = nullptr;
    json.erase("attention_bias");
    json.erase("mlp_bias");
  }
  return json;
}

}  // namespace helio::checkpoint
