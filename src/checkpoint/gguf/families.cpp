#include "checkpoint/gguf/families.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "checkpoint/safetensors_header.h"
#include "core/error.h"

namespace helio::checkpoint {
namespace {

constexpr std::array<GgufFamily, 7> kFamilies = {{
    {.arch = "llama", .architecture = "LlamaForCausalLM", .model_type = "llama", .permuted = true},
    {.arch = "qwen2", .architecture = "Qwen2ForCausalLM", .model_type = "qwen2"},
    {.arch = "qwen3", .architecture = "Qwen3ForCausalLM", .model_type = "qwen3"},
    {.arch = "gemma",
     .architecture = "GemmaForCausalLM",
     .model_type = "gemma",
     .norm_plus_one = true},
    {.arch = "gemma2",
     .architecture = "Gemma2ForCausalLM",
     .model_type = "gemma2",
     .norm_plus_one = true,
     .four_norms = true},
    {.arch = "gemma3",
     .architecture = "Gemma3ForCausalLM",
     .model_type = "gemma3_text",
     .norm_plus_one = true,
     .four_norms = true},
    {.arch = "phi3", .architecture = "Phi3ForCausalLM", .model_type = "phi3", .fused = true},
}};

struct Pair {
  std::string_view gguf, hugging_face;
};
constexpr std::array<Pair, 3> kOutside = {
    {{"token_embd", "model.embed_tokens"}, {"output_norm", "model.norm"}, {"output", "lm_head"}}};
constexpr std::array<Pair, 6> kCommon = {{{"attn_norm", "input_layernorm"},
                                          {"attn_output", "self_attn.o_proj"},
                                          {"attn_q_norm", "self_attn.q_norm"},
                                          {"attn_k_norm", "self_attn.k_norm"},
                                          {"ffn_down", "mlp.down_proj"},
                                          {"attn_v", "self_attn.v_proj"}}};
constexpr std::array<Pair, 4> kSeparate = {{{"attn_q", "self_attn.q_proj"},
                                            {"attn_k", "self_attn.k_proj"},
                                            {"ffn_gate", "mlp.gate_proj"},
                                            {"ffn_up", "mlp.up_proj"}}};
constexpr std::array<Pair, 2> kFused = {
    {{"attn_qkv", "self_attn.qkv_proj"}, {"ffn_up", "mlp.gate_up_proj"}}};
constexpr std::array<Pair, 1> kTwoNorms = {{{"ffn_norm", "post_attention_layernorm"}}};
constexpr std::array<Pair, 3> kFourNorms = {{{"post_attention_norm", "post_attention_layernorm"},
                                             {"ffn_norm", "pre_feedforward_layernorm"},
                                             {"post_ffw_norm", "post_feedforward_layernorm"}}};

template <class Visit>
void each_layer_pair(const GgufFamily& family, Visit&& visit) {
  for (const auto& pair : kCommon)
    if (!family.fused || pair.gguf != "attn_v") visit(pair);
  if (family.fused)
    for (const auto& pair : kFused) visit(pair);
  else
    for (const auto& pair : kSeparate) visit(pair);
  if (family.four_norms)
    for (const auto& pair : kFourNorms) visit(pair);
  else
    for (const auto& pair : kTwoNorms) visit(pair);
}

// "blk.12.attn_q.weight" with prefix "blk.": "12", "attn_q", ".weight".
struct Parts {
  std::string_view layer = {}, stem = {}, ending = {};
};
std::optional<Parts> split(std::string_view name, std::string_view prefix) {
  Parts parts;
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  parts.ending = name.substr(dot);
  if (parts.ending != ".weight" && parts.ending != ".bias") return std::nullopt;
  name = name.substr(0, dot);
  if (name.starts_with(prefix)) {
    name.remove_prefix(prefix.size());
    const size_t end = name.find('.');
    if (end == std::string_view::npos) return std::nullopt;
    parts.layer = name.substr(0, end);
    int64_t number = -1;
    const auto [stop, problem] =
        std::from_chars(parts.layer.data(), parts.layer.data() + end, number);
    if (problem != std::errc() || stop != parts.layer.data() + end || number < 0 ||
        std::to_string(number) != parts.layer)
      return std::nullopt;
    name = name.substr(end + 1);
  }
  parts.stem = name;
  return parts;
}

std::optional<std::string> translate(const GgufFamily& family, std::string_view name,
                                     std::string_view prefix, std::string_view to_prefix,
                                     std::string_view Pair::*from, std::string_view Pair::*to) {
  const auto parts = split(name, prefix);
  if (!parts) return std::nullopt;
  if (parts->layer.empty()) {
    for (const auto& pair : kOutside)
      if (pair.*from == parts->stem) return fmt::format("{}{}", pair.*to, parts->ending);
    return std::nullopt;
  }
  std::optional<std::string> out;
  each_layer_pair(family, [&](const Pair& pair) {
    if (pair.*from == parts->stem)
      out = fmt::format("{}{}.{}{}", to_prefix, parts->layer, pair.*to, parts->ending);
  });
  return out;
}

std::string known(std::string_view GgufFamily::*what) {
  std::string out;
  for (const auto& family : kFamilies) out += (out.empty() ? "" : ", ") + std::string(family.*what);
  return out;
}

}  // namespace

const GgufFamily& gguf_family(std::string_view arch, const std::string& source) {
  for (const auto& family : kFamilies)
    if (family.arch == arch) return family;
  throw Error(
      ErrorKind::invalid,
      fmt::format("{}: helio does not know GGUF models of architecture '{}'", source, shown(arch)))
      .with_hint("known: " + known(&GgufFamily::arch));
}

const GgufFamily& family_of_config(const OrderedJson& config, const std::string& source) {
  std::string name;
  if (const auto it = config.find("architectures");
      it != config.end() && it->is_array() && it->size() == 1 && (*it)[0].is_string())
    name = (*it)[0].get<std::string>();
  // The same decoder under their makers' names.
  const bool is_llama = name == "MistralForCausalLM" || name == "SolarForCausalLM";
  const std::string as = is_llama ? "LlamaForCausalLM" : name;
  for (const auto& family : kFamilies)
    if (family.architecture == as) return family;
  throw Error(
      ErrorKind::invalid,
      fmt::format("{}: helio does not write GGUF models of architecture '{}'", source, shown(name)))
      .with_hint("known: " + known(&GgufFamily::architecture) + ", MistralForCausalLM");
}

std::optional<std::string> hugging_face_name(const GgufFamily& family, std::string_view gguf_name) {
  return translate(family, gguf_name, "blk.", "model.layers.", &Pair::gguf, &Pair::hugging_face);
}

std::optional<std::string> gguf_name(const GgufFamily& family, std::string_view hugging_face_name) {
  return translate(family, hugging_face_name, "model.layers.", "blk.", &Pair::hugging_face,
                   &Pair::gguf);
}

Projection projection_of(std::string_view name) {
  if (name.find(".self_attn.q_proj.") != std::string_view::npos) return Projection::query;
  if (name.find(".self_attn.k_proj.") != std::string_view::npos) return Projection::key;
  return Projection::other;
}

}  // namespace helio::checkpoint
