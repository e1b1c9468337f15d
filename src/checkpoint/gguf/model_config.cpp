// GgufModel::config(): from GGUF's metadata to config.json.
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <set>

#include "checkpoint/gguf/model.h"
#include "checkpoint/gguf/rope.h"
#include "checkpoint/quant/dequantise.h"
#include "checkpoint/safetensors_header.h"
#include "core/error.h"

namespace helio::checkpoint {
namespace {

// GGUF stores f32; the shortest decimal of it is the number the model's maker wrote: 1e-05, not
// 9.999999747378752e-06.
double as_written(double stored) {
  const std::string text = fmt::format("{}", static_cast<float>(stored));
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

class Metadata {
 public:
  Metadata(const GgufFile& file, std::string_view arch) : file_(file), arch_(arch) {}

  std::string key(std::string_view rest) const { return fmt::format("{}.{}", arch_, rest); }
  const GgufValue* find(std::string_view rest) const { return file_.find(key(rest)); }

  // Of a list with one entry a layer, when they are all equal.
  std::optional<int64_t> find_count(std::string_view rest) const {
    const GgufValue* value = find(rest);
    if (value == nullptr) return std::nullopt;
    int64_t count = 0;
    if (value->kind == GgufKind::array) {
      const auto all = value->integers();
      if (all.empty() || std::set<int64_t>(all.begin(), all.end()).size() != 1)
        throw Error(ErrorKind::invalid, fmt::format("{}: '{}' differs from layer to layer",
                                                    file_.path().string(), key(rest)))
            .with_hint("helio runs decoders whose layers are alike");
      count = all[0];
    } else {
      count = value->integer();
    }
    if (count < 1 || count > int64_t(1) << 30)
      throw Error(ErrorKind::invalid,
                  fmt::format("{}: '{}' is {}", file_.path().string(), key(rest), count))
          .with_hint("the file is damaged");
    return count;
  }
  int64_t count(std::string_view rest) const {
    if (const auto found = find_count(rest)) return *found;
    file_.at(key(rest));  // says that it is missing
    return 0;
  }
  std::optional<double> find_number(std::string_view rest) const {
    const GgufValue* value = find(rest);
    return value ? std::optional(as_written(value->number())) : std::nullopt;
  }
  double number(std::string_view rest) const {
    file_.at(key(rest));
    return *find_number(rest);
  }
  OrderedJson token(const char* name) const {
    const auto id = file_.integer(fmt::format("tokenizer.ggml.{}_token_id", name));
    return id && *id >= 0 ? OrderedJson(*id) : OrderedJson(nullptr);
  }

 private:
  const GgufFile& file_;
  std::string_view arch_;
};

OrderedJson floats_of(const GgufFile& file, const GgufTensor& tensor) {
  std::vector<float> values(static_cast<size_t>(tensor.elements()));
  dequantise(tensor.type, file.data(tensor), values);
  OrderedJson out = OrderedJson::array();
  for (const float value : values) out.push_back(as_written(static_cast<double>(value)));
  return out;
}

// rope_scaling: null, or an object with "rope_type".
OrderedJson rope_scaling(const GgufFile& file, const Metadata& read, double theta,
                         const GgufTensor* freqs, const GgufTensor* long_factors,
                         const GgufTensor* short_factors, int64_t context) {
  const auto type = file.string(read.key("rope.scaling.type"));
  const auto factor = read.find_number("rope.scaling.factor");
  if (freqs != nullptr) {
    std::vector<float> factors(static_cast<size_t>(freqs->elements()));
    dequantise(freqs->type, file.data(*freqs), factors);
    const auto found = find_llama3_scaling(factors, theta);
    if (!found)
      throw Error(ErrorKind::invalid, file.path().string() +
                                          ": tensor 'rope_freqs.weight' is not Llama 3's RoPE "
                                          "scaling with any settings in use")
          .with_hint("config.json has no way to say other factors");
    return {{"rope_type", "llama3"},
            {"factor", found->factor},
            {"low_freq_factor", found->low_freq_factor},
            {"high_freq_factor", found->high_freq_factor},
            {"original_max_position_embeddings", found->original_max_position}};
  }
  if (long_factors != nullptr || short_factors != nullptr) {
    if (long_factors == nullptr || short_factors == nullptr)
      throw Error(ErrorKind::invalid, file.path().string() +
                                          ": one of the tensors rope_factors_long.weight and "
                                          "rope_factors_short.weight is missing")
          .with_hint("the file is damaged");
    return {{"rope_type", "longrope"},
            {"type", "longrope"},
            {"short_factor", floats_of(file, *short_factors)},
            {"long_factor", floats_of(file, *long_factors)},
            {"original_max_position_embeddings",
             read.find_count("rope.scaling.original_context_length").value_or(context)}};
  }
  if (!type || *type == "none" || *type == "longrope") {
    if (const auto old = read.find_number("rope.scale_linear"); old && *old != 1)
      return {{"rope_type", "linear"}, {"factor", *old}};
    return nullptr;
  }
  if (*type == "linear" && factor) return {{"rope_type", "linear"}, {"factor", *factor}};
  if (*type == "yarn" && factor) {
    OrderedJson out = {{"rope_type", "yarn"}, {"factor", *factor}};
    if (const auto original = read.find_count("rope.scaling.original_context_length"))
      out["original_max_position_embeddings"] = *original;
    return out;
  }
  throw Error(ErrorKind::invalid, fmt::format("{}: RoPE scaling '{}' without its factor, or of a "
                                              "type that helio does not know",
                                              file.path().string(), shown(*type)))
      .with_hint("known: linear, yarn, llama3 (as a tensor), longrope (as tensors)");
}

// Every how many layers one looks at everything; or a list that says it layer by layer.
OrderedJson layer_types(const GgufFile& file, const Metadata& read, int64_t layers,
                        int64_t usual_period) {
  OrderedJson out = OrderedJson::array();
  const auto add = [&](bool sliding) {
    out.push_back(sliding ? "sliding_attention" : "full_attention");
  };
  const GgufValue* value = read.find("attention.sliding_window_pattern");
  if (value != nullptr && value->kind == GgufKind::array) {
    const auto flags = value->integers();
    if (static_cast<int64_t>(flags.size()) != layers)
      throw Error(ErrorKind::invalid,
                  fmt::format("{}: '{}' has {} entries for {} layers", file.path().string(),
                              value->key, flags.size(), layers))
          .with_hint("the file is damaged");
    for (const int64_t flag : flags) add(flag != 0);
    return out;
  }
  const int64_t period = value != nullptr ? value->integer() : usual_period;
  for (int64_t i = 0; i < layers; ++i) add(period > 0 && (i + 1) % period != 0);
  return out;
}

constexpr std::array<std::string_view, 26> kRead = {
    "vocab_size",
    "context_length",
    "embedding_length",
    "block_count",
    "feed_forward_length",
    "attention.head_count",
    "attention.head_count_kv",
    "attention.layer_norm_rms_epsilon",
    "attention.key_length",
    "attention.value_length",
    "attention.sliding_window",
    "attention.sliding_window_pattern",
    "attn_logit_softcapping",
    "final_logit_softcapping",
    "rope.dimension_count",
    "rope.freq_base",
    "rope.freq_base_swa",
    "rope.local.freq_base",
    "rope.scale_linear",
    "rope.scaling.type",
    "rope.scaling.factor",
    "rope.scaling.original_context_length",
    "rope.scaling.finetuned",
    "rope.scaling.attn_factor",
    // No experts; the pooling of embedding models.
    "expert_count",
    "expert_used_count",
};

}  // namespace

OrderedJson GgufModel::config() const {
  const Metadata read(file_, family_->arch);
  const std::string_view arch = family_->arch;
  const bool gemma = arch.starts_with("gemma");
  if (const auto* experts = read.find("expert_count"); experts && experts->integer() > 0)
    throw Error(ErrorKind::invalid, file_.path().string() + " is a mixture of experts")
        .with_hint("helio imports dense decoders");
  const int64_t hidden = read.count("embedding_length"), layers = read.count("block_count");
  if (layers > 100'000)
    throw Error(ErrorKind::invalid,
                fmt::format("{}: {} layers; no model has so many", file_.path().string(), layers))
        .with_hint("the file is damaged");
  const int64_t heads = read.count("attention.head_count"), context = read.count("context_length");
  const int64_t head = read.find_count("attention.key_length").value_or(hidden / heads);
  if (read.find_count("attention.value_length").value_or(head) != head)
    throw Error(ErrorKind::invalid,
                file_.path().string() + ": heads of keys and of values have different sizes")
        .with_hint("no architecture that helio knows has this");
  const int64_t rotated = read.find_count("rope.dimension_count").value_or(head);
  if (rotated != head && arch != "phi3")
    throw Error(ErrorKind::invalid, fmt::format("{}: RoPE turns {} of {} dimensions",
                                                file_.path().string(), rotated, head))
        .with_hint("config.json cannot say this for " + std::string(family_->architecture));
  const Weight* embedding = find("model.embed_tokens.weight");
  if (embedding == nullptr || embedding->shape.size() != 2)
    throw Error(ErrorKind::invalid,
                file_.path().string() + ": tensor 'token_embd.weight' is missing or no matrix")
        .with_hint("the file is damaged, or holds a vocabulary alone");
  const double theta = read.find_number("rope.freq_base").value_or(10000);
  const OrderedJson scaling =
      rope_scaling(file_, read, theta, rope_freqs_, rope_long_, rope_short_, context);
  const auto has_bias = [&](const char* name) {
    return find(fmt::format("model.layers.0.{}.bias", name)) != nullptr;
  };

  OrderedJson c = {
      {"architectures", {family_->architecture}},
      {"model_type", family_->model_type},
      {"vocab_size", embedding->shape[0]},
      {"hidden_size", hidden},
      {"intermediate_size", read.count("feed_forward_length")},
      {"num_hidden_layers", layers},
      {"num_attention_heads", heads},
      {"num_key_value_heads", read.find_count("attention.head_count_kv").value_or(heads)},
      {"head_dim", head},
      {gemma ? "hidden_activation" : "hidden_act", gemma ? "gelu_pytorch_tanh" : "silu"},
      {"max_position_embeddings", context},
      {"initializer_range", 0.02},
      {"rms_norm_eps", read.number("attention.layer_norm_rms_epsilon")},
      {"tie_word_embeddings", find("lm_head.weight") == nullptr},
      {"attention_dropout", 0.0},
      {"use_cache", true},
      {"bos_token_id", read.token("bos")},
      {"eos_token_id", read.token("eos")},
      {"pad_token_id", read.token("padding")}};
  if (arch == "gemma") c["hidden_act"] = "gelu_pytorch_tanh";
  if (arch == "llama") {
    c["attention_bias"] = has_bias("self_attn.q_proj");
    c["mlp_bias"] = has_bias("mlp.gate_proj");
  } else if (arch == "qwen3" || gemma) {
    c["attention_bias"] = has_bias("self_attn.q_proj");
  }
  if (arch.starts_with("qwen")) {
    c["use_sliding_window"] = false;
    c["sliding_window"] = nullptr;
  }
  OrderedJson rope = {{"rope_theta", theta}, {"rope_type", "default"}};
  if (!scaling.is_null())
    for (const auto& [name, value] : scaling.items()) rope[name] = value;
  c["rope_theta"] = theta;
  c["rope_scaling"] = scaling;
  if (arch == "phi3") {
    const auto window = read.find_count("attention.sliding_window");
    c["sliding_window"] = window ? OrderedJson(*window) : OrderedJson(nullptr);
    c["original_max_position_embeddings"] =
        read.find_count("rope.scaling.original_context_length").value_or(context);
    c["partial_rotary_factor"] = static_cast<double>(rotated) / static_cast<double>(head);
    rope["partial_rotary_factor"] = c["partial_rotary_factor"];
  }
  if (family_->four_norms) {
    const bool third = arch == "gemma3";
    c["sliding_window"] = read.count("attention.sliding_window");
    c["layer_types"] = layer_types(file_, read, layers, third ? 6 : 2);
    // Not in GGUF: llama.cpp, too, knows the 27B models by their depth.
    c["query_pre_attn_scalar"] = layers == (third ? 62 : 46) ? hidden / heads : head;
    const auto cap = [&](const char* name) {
      const auto value = read.find_number(name);
      return value && *value != 0 ? OrderedJson(*value) : OrderedJson(nullptr);
    };
    c["attn_logit_softcapping"] = cap("attn_logit_softcapping");
    c["final_logit_softcapping"] = cap("final_logit_softcapping");
    if (third) {
      auto local = read.find_number("rope.freq_base_swa");
      if (!local) local = read.find_number("rope.local.freq_base");
      c["rope_local_base_freq"] = local.value_or(10000);
      rope = {{"full_attention", rope},
              {"sliding_attention",
               {{"rope_theta", c["rope_local_base_freq"]}, {"rope_type", "default"}}}};
    }
  }
  c["rope_parameters"] = rope;
  return c;
}

OrderedJson GgufModel::generation_config() const {
  const Metadata read(file_, family_->arch);
  OrderedJson out = OrderedJson::object();
  if (const auto bos = read.token("bos"); !bos.is_null()) out["bos_token_id"] = bos;
  const OrderedJson eos = read.token("eos"), turn = read.token("eot");
  if (!eos.is_null() && !turn.is_null() && eos != turn) out["eos_token_id"] = {eos, turn};
  else if (!eos.is_null()) out["eos_token_id"] = eos;
  if (const auto pad = read.token("padding"); !pad.is_null()) out["pad_token_id"] = pad;
  return out;
}

std::vector<std::string> GgufModel::unread_keys() const {
  std::vector<std::string> out;
  const std::string prefix = std::string(family_->arch) + ".";
  for (const auto& value : file_.metadata())
    if (value.key.starts_with(prefix) &&
        std::find(kRead.begin(), kRead.end(), value.key.substr(prefix.size())) == kRead.end())
      out.emplace_back(shown(value.key));
  return out;
}

}  // namespace helio::checkpoint
