#include "checkpoint/hf_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "checkpoint/decoder_weights.h"
#include "checkpoint/family.h"
#include "core/error.h"

namespace helio::checkpoint {
namespace {

// Bounds what a hostile file can make us do; the deepest published decoders have some 130 layers,
// the ones with most experts 512.
constexpr int64_t kMostLayers = 100'000, kMostExperts = 10'000;

const Family* find_family(std::string_view architecture) {
  for (const Family* family : families())
    if (family->architecture == architecture) return family;
  return nullptr;
}

std::string supported() {
  return fmt::format("supported: {}", fmt::join(decoder_architectures(), ", "));
}

const Family& read_family(const ConfigKeys& keys, DecoderConfig& config) {
  const Json& list = keys.need("architectures", supported());
  if (!list.is_array() || list.size() != 1 || !list[0].is_string())
    throw keys.bad("architectures", list, "a list of one name");
  config.architecture = list[0].get<std::string>();
  const Family* family = find_family(config.architecture);
  if (family == nullptr)
    throw keys.unsupported(
        "architecture '" + config.architecture.substr(0, 80) + "' is not supported", supported());
  config.model_type = family->model_type;
  if (const auto* type = keys.find("model_type"); type != nullptr && *type != config.model_type)
    throw keys.bad("model_type", *type,
                   "'" + config.model_type + "' as " + config.architecture + " has");
  if (keys.find("quantization_config") != nullptr)
    throw keys.unsupported("the weights are quantised ('quantization_config')",
                           "use the original float16, bfloat16 or float32 checkpoint");
  return *family;
}

void read_sizes(const ConfigKeys& keys, DecoderConfig& config) {
  config.vocab_size = keys.need_integer("vocab_size");
  config.hidden_size = keys.need_integer("hidden_size");
  config.intermediate_size = keys.need_integer("intermediate_size");
  config.layers = keys.need_integer("num_hidden_layers");
  if (config.layers > kMostLayers)
    throw keys.unsupported(fmt::format("a model of {} layers", config.layers),
                           "a number in config.json is wrong");
  config.heads = keys.need_integer("num_attention_heads");
  config.max_positions = keys.need_integer("max_position_embeddings");
  config.rms_norm_eps = keys.need_positive("rms_norm_eps");
}

void read_token_ids(const ConfigKeys& keys, DecoderConfig& config) {
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

void check_shape(const ConfigKeys& keys, const DecoderConfig& config) {
  if (config.heads % config.kv_heads != 0)
    throw keys.unsupported(fmt::format("{} attention heads cannot share {} key/value heads",
                                       config.heads, config.kv_heads),
                           "num_attention_heads must be a multiple of num_key_value_heads");
  if (config.head_dim % 2 != 0)
    throw keys.unsupported(
        fmt::format("head_dim {} is odd; rotary embeddings need pairs", config.head_dim),
        "check head_dim, hidden_size and num_attention_heads");
  // Part of a head rotates in whole pairs, and at least one.
  const double rotating = static_cast<double>(config.head_dim) * config.rotary_share;
  if (rotating < 2 || static_cast<int64_t>(rotating) % 2 != 0)
    throw keys.unsupported("partial_rotary_factor does not leave whole pairs to rotate",
                           std::string(ConfigKeys::kCopyIt));
  const Experts& experts = config.experts;
  if (experts.count > kMostExperts || experts.per_token > experts.count)
    throw keys.unsupported(fmt::format("{} of {} experts", experts.per_token, experts.count),
                           "a number in config.json is wrong");
  // In floating point, because the exact count is what may overflow.
  const double hidden = double(config.hidden_size), width = double(config.head_dim);
  const double ffn =
      double(config.intermediate_size) + double(experts.count) * double(experts.width);
  const double total =
      double(config.vocab_size) * hidden * 2 +
      double(config.layers) * (hidden * width * 2 * double(config.heads + config.kv_heads) +
                               3 * hidden * ffn + 8 * hidden + 4 * ffn);
  if (total > 1e17)
    throw keys.unsupported(fmt::format("a model of {:.1e} parameters", total),
                           "a number in config.json is wrong");
}

int64_t elements(const DecoderConfig& config, int64_t layer, int64_t experts) {
  int64_t sum = 0;
  for (const DecoderWeight& weight : layer_weights(config, layer, experts))
    sum += weight.elements();
  return sum;
}

// Layers are of two kinds, with experts and without.
int64_t count(const DecoderConfig& config, int64_t experts) {
  int64_t routed = 0, first_routed = -1, first_dense = -1;
  for (int64_t i = 0; i < config.layers; ++i) {
    const bool has = config.has_experts(i);
    routed += has ? 1 : 0;
    int64_t& first = has ? first_routed : first_dense;
    if (first < 0) first = i;
  }
  int64_t sum = 0;
  for (const DecoderWeight& weight : outer_weights(config)) sum += weight.elements();
  if (first_routed >= 0) sum += routed * elements(config, first_routed, experts);
  if (first_dense >= 0) sum += (config.layers - routed) * elements(config, first_dense, experts);
  return sum;
}

}  // namespace

bool DecoderConfig::has_experts(int64_t layer) const {
  return experts.count > 0 &&
         !std::binary_search(experts.dense_layers.begin(), experts.dense_layers.end(), layer);
}

int64_t DecoderConfig::longest_sequence() const {
  const auto times = [&](int64_t length) {
    return static_cast<int64_t>(std::min(static_cast<double>(length) * rope.factor, 0x1p31));
  };
  if (rope.type == "dynamic") return std::max(max_positions, times(max_positions));
  if (rope.type == "yarn") return std::max(max_positions, times(rope.original_max_position));
  return max_positions;
}

int64_t DecoderConfig::parameters_per_layer() const { return elements(*this, 0, experts.count); }
int64_t DecoderConfig::parameters() const { return count(*this, experts.count); }
int64_t DecoderConfig::active_parameters() const { return count(*this, experts.per_token); }

std::vector<std::string> decoder_architectures() {
  std::vector<std::string> names;
  for (const Family* family : families()) names.emplace_back(family->architecture);
  std::sort(names.begin(), names.end());
  return names;
}

DecoderConfig parse_decoder_config(const Json& json, const std::string& source) {
  const ConfigKeys keys(json, source);
  DecoderConfig config;
  const Family& family = read_family(keys, config);
  read_sizes(keys, config);
  const auto* dtype = keys.find("dtype");
  if (dtype == nullptr) dtype = keys.find("torch_dtype");
  if (dtype != nullptr) config.dtype = keys.text("dtype", *dtype);
  if (const auto* range = keys.find("initializer_range"))
    config.initializer_range = keys.positive("initializer_range", *range);
  read_token_ids(keys, config);
  family.read(keys, config);
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
  const Family* family = find_family(config.architecture);
  HELIO_CHECK(family != nullptr, "no family for " + config.architecture);
  const auto id = [](const std::optional<int64_t>& value) {
    return value ? OrderedJson(*value) : OrderedJson(nullptr);
  };
  OrderedJson json = {
      {"architectures", {config.architecture}},
      {"attention_dropout", 0.0},
      {"bos_token_id", id(config.bos)},
      {"dtype", config.dtype},
      {"eos_token_id", id(config.eos)},
      {"head_dim", config.head_dim},
      {"hidden_act", config.activation == Activation::silu ? "silu" : "gelu_pytorch_tanh"},
      {"hidden_size", config.hidden_size},
      {"initializer_range", config.initializer_range},
      {"intermediate_size", config.intermediate_size},
      {"max_position_embeddings", config.max_positions},
      {"model_type", config.model_type},
      {"num_attention_heads", config.heads},
      {"num_hidden_layers", config.layers},
      {"num_key_value_heads", config.kv_heads},
      {"pad_token_id", id(config.pad)},
      {"rms_norm_eps", config.rms_norm_eps},
      {"rope_parameters", rope_json(config.rope_theta, config.rope)},
      {"rope_scaling", rope_scaling_json(config.rope)},
      {"rope_theta", config.rope_theta},
      {"tie_word_embeddings", config.tied_embeddings},
      {"torch_dtype", config.dtype},
      {"use_cache", true},
      {"vocab_size", config.vocab_size},
  };
  family->write(config, json);
  std::map<std::string, OrderedJson> sorted;
  for (const auto& [key, value] : json.items()) sorted[key] = value;
  OrderedJson out = OrderedJson::object();
  for (auto& [key, value] : sorted) out[key] = std::move(value);
  return out;
}

}  // namespace helio::checkpoint
