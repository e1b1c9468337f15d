// Say what a model folder holds: architecture, size, memory, tokenizer, template, lineage.
#include <fmt/format.h>

#include <map>
#include <ostream>

#include "checkpoint/hf_config.h"
#include "checkpoint/safetensors.h"
#include "cli/command.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/manifest.h"

namespace helio::cli {
namespace {

OrderedJson weights_json(const checkpoint::SafeTensors& weights) {
  struct Share {
    int64_t tensors = 0, elements = 0;
    uint64_t bytes = 0;
  };
  std::map<std::string, Share> by_dtype;
  int64_t parameters = 0;
  uint64_t bytes = 0;
  for (const auto& tensor : weights.tensors()) {
    Share& share = by_dtype[std::string(checkpoint::dtype_name(tensor.dtype))];
    ++share.tensors;
    share.elements += tensor.elements();
    share.bytes += tensor.size;
    if (!tensor.name.ends_with(".inv_freq"))
      parameters += tensor.elements();  // a table, not a weight
    bytes += tensor.size;
  }
  OrderedJson stored = OrderedJson::object();
  for (const auto& [name, share] : by_dtype)
    stored[name] = {
        {"tensors", share.tensors}, {"elements", share.elements}, {"bytes", share.bytes}};
  return {{"parameters", parameters},
          {"tensors", weights.tensors().size()},
          {"files", weights.files().size()},
          {"bytes", bytes},
          {"stored", stored},
          {"memory", {{"float32", parameters * 4}, {"bfloat16", parameters * 2}}}};
}

// Bytes with --weights int8 or int4 (nn/packed_weight.h): matrices in blocks of 32 columns and panels
// of 16 rows, 34 or 18 bytes a block (embedding and head always 34), vectors in float32.
int64_t packed_bytes(const checkpoint::SafeTensors& weights, int64_t block_bytes) {
  int64_t bytes = 0;
  for (const auto& tensor : weights.tensors()) {
    if (tensor.shape.size() != 2) {
      bytes += tensor.elements() * 4;
      continue;
    }
    const bool outer = tensor.name == "model.embed_tokens.weight" || tensor.name == "lm_head.weight";
    const int64_t panels = (tensor.shape[0] + 15) / 16, blocks = (tensor.shape[1] + 31) / 32;
    bytes += panels * 16 * blocks * (outer ? 34 : block_bytes);
  }
  return bytes;
}

OrderedJson rope_json(const std::string& type, double theta, double factor) {
  OrderedJson json = {{"type", type}, {"theta", theta}};
  if (type != "default") json["factor"] = factor;
  return json;
}

// What the family does otherwise than Llama.
OrderedJson traits_json(const checkpoint::DecoderConfig& config) {
  using namespace checkpoint;
  OrderedJson traits = OrderedJson::object();
  if (config.norm_placement != NormPlacement::before)
    traits["norms"] =
        config.norm_placement == NormPlacement::after ? "after each block" : "around each block";
  if (config.qk_norm != QkNorm::none)
    traits["query_key_norm"] = config.qk_norm == QkNorm::each_head ? "each head" : "all heads";
  if (config.activation != Activation::silu) traits["activation"] = "gelu_tanh";
  if (config.qkv_bias) traits["bias"] = config.output_bias ? "qkvo" : "qkv";
  if (config.mlp_bias) traits["mlp_bias"] = true;
  if (config.rotary_share != 1) traits["rotary_share"] = config.rotary_share;
  if (config.attention_softcap != 0) traits["attention_softcap"] = config.attention_softcap;
  if (config.logit_softcap != 0) traits["logit_softcap"] = config.logit_softcap;
  return traits;
}

// Bytes of one more position's keys and values in 16 bits, where every layer keeps all of them.
int64_t cache_bytes(const checkpoint::DecoderConfig& config) {
  return 4 * config.layers * config.kv_heads * config.head_dim;
}

OrderedJson shape_json(const checkpoint::DecoderConfig& config) {
  OrderedJson shape = {{"layers", config.layers},
                       {"hidden", config.hidden_size},
                       {"ffn", config.intermediate_size},
                       {"heads", config.heads},
                       {"kv_heads", config.kv_heads},
                       {"head_dim", config.head_dim},
                       {"vocabulary", config.vocab_size},
                       {"positions", config.max_positions},
                       {"longest_sequence", config.longest_sequence()},
                       {"tied_embeddings", config.tied_embeddings},
                       {"rope", config.rope.type},
                       {"rope_theta", config.rope_theta}};
  if (config.rope.type != "default") shape["rope_factor"] = config.rope.factor;
  if (const auto& sliding = config.sliding_rope)
    shape["sliding_rope"] =
        rope_json(sliding->scaling.type, sliding->theta, sliding->scaling.factor);
  int64_t sliding = 0, routed = 0;
  for (int64_t i = 0; i < config.layers; ++i) {
    sliding += config.slides(i) ? 1 : 0;
    routed += config.has_experts(i) ? 1 : 0;
  }
  if (sliding > 0) shape["window"] = {{"tokens", config.window}, {"layers", sliding}};
  if (routed > 0)
    shape["experts"] = {{"count", config.experts.count},
                        {"per_token", config.experts.per_token},
                        {"width", config.experts.width},
                        {"layers", routed}};
  shape["traits"] = traits_json(config);
  shape["parameters"] = config.parameters();
  shape["active_parameters"] = config.active_parameters();
  shape["kv_cache_bytes_per_token"] = cache_bytes(config);
  return shape;
}

// Where the chat template is, as transformers looks for it, and how long; null: nowhere.
OrderedJson template_json(const fs::path& dir) {
  if (const fs::path file = dir / "chat_template.jinja"; fs::exists(file))
    return {{"source", "chat_template.jinja"}, {"bytes", fs::file_size(file)}};
  const fs::path path = dir / "tokenizer_config.json";
  if (!fs::exists(path)) return nullptr;
  const Json config = load_json(path);
  if (!config.is_object() || !config.contains("chat_template")) return nullptr;
  const Json& value = config["chat_template"];
  OrderedJson out = {{"source", "tokenizer_config.json"}};
  if (value.is_string()) {
    out["bytes"] = value.get_ref<const std::string&>().size();
    return out;
  }
  if (!value.is_array()) return nullptr;
  out["names"] = OrderedJson::array();
  for (const Json& one : value)
    if (one.is_object() && one.contains("name") && one["name"].is_string())
      out["names"].push_back(one["name"].get<std::string>());
  return out;
}

// Read as data, not loaded: a tokenizer that we cannot run is still described.
OrderedJson tokenizer_json(const fs::path& path) {
  const Json json = load_json(path);
  OrderedJson out = {{"type", nullptr}, {"vocabulary", nullptr}, {"added_tokens", 0}};
  if (json.is_object() && json.contains("model") && json["model"].is_object()) {
    const Json& model = json["model"];
    if (model.contains("type") && model["type"].is_string())
      out["type"] = model["type"].get<std::string>();
    if (model.contains("vocab")) out["vocabulary"] = model["vocab"].size();
  }
  if (json.is_object() && json.contains("added_tokens"))
    out["added_tokens"] = json["added_tokens"].size();
  return out;
}

OrderedJson lineage_json(const Manifest& manifest) {
  OrderedJson inputs = OrderedJson::array();
  for (const auto& input : manifest.inputs)
    inputs.push_back({{"role", input.role},
                      {"kind", input.kind},
                      {"name", input.name},
                      {"content", input.content}});
  return {{"name", manifest.name},
          {"content", manifest.content},
          {"made_by", manifest.made_by},
          {"version", manifest.version},
          {"inputs", inputs},
          {"facts", manifest.facts}};
}

std::string grouped(const OrderedJson& number) {
  return fmt::format("{}", fmt::group_digits(number.get<uint64_t>()));
}

std::string rope_text(const OrderedJson& shape) {
  std::string text =
      fmt::format("{}, theta {}", shape["rope"].get<std::string>(), shape["rope_theta"].dump());
  if (shape.contains("rope_factor")) text += ", factor " + shape["rope_factor"].dump();
  if (shape.contains("sliding_rope"))
    text += fmt::format("; layers with a window: {}, theta {}",
                        shape["sliding_rope"]["type"].get<std::string>(),
                        shape["sliding_rope"]["theta"].dump());
  return text;
}

std::string traits_text(const OrderedJson& traits) {
  std::string text;
  for (const auto& [name, value] : traits.items())
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name,
                        value.is_string() ? value.get<std::string>() : value.dump());
  return text;
}

std::string template_text(const OrderedJson& found) {
  if (found.is_null()) return "none in the folder";
  std::string text = found["source"].get<std::string>();
  if (found.contains("bytes")) return text + ", " + found["bytes"].dump() + " bytes";
  for (const auto& name : found["names"]) text += " " + name.get<std::string>();
  return text;
}

void print_text(std::ostream& out, const OrderedJson& info) {
  const auto line = [&](const char* name, const std::string& value) {
    out << fmt::format("{:<14}{}\n", name, value);
  };
  line("architecture",
       info["architecture"].is_null() ? "not said" : info["architecture"].get<std::string>());
  if (info.contains("shape")) {
    const auto& s = info["shape"];
    line("shape", fmt::format("{} layers, hidden {}, ffn {}, {} heads of {} ({} key/value), "
                              "vocabulary {}, {} positions",
                              s["layers"].dump(), s["hidden"].dump(), s["ffn"].dump(),
                              s["heads"].dump(), s["head_dim"].dump(), s["kv_heads"].dump(),
                              s["vocabulary"].dump(), s["positions"].dump()));
    line("embeddings", s["tied_embeddings"] == true ? "tied to the output head"
                                                    : "separate from the output head");
    line("rope", rope_text(s));
    if (s.contains("window"))
      line("window", fmt::format("{} tokens in {} of {} layers", s["window"]["tokens"].dump(),
                                 s["window"]["layers"].dump(), s["layers"].dump()));
    if (s.contains("experts"))
      line("experts", fmt::format("{} of {} a token, width {}, in {} of {} layers; {} parameters "
                                  "a token",
                                  s["experts"]["per_token"].dump(), s["experts"]["count"].dump(),
                                  s["experts"]["width"].dump(), s["experts"]["layers"].dump(),
                                  s["layers"].dump(), grouped(s["active_parameters"])));
    if (!s["traits"].empty()) line("traits", traits_text(s["traits"]));
    line("kv cache", grouped(s["kv_cache_bytes_per_token"]) + " bytes a token in 16 bits");
  }
  line("runs here", info["runs"] == true ? "yes" : "no: " + info["why_not"].get<std::string>());
  const auto& w = info["weights"];
  line("parameters", grouped(w["parameters"]));
  for (const auto& [dtype, share] : w["stored"].items())
    line("stored", fmt::format("{}: {} tensors, {} bytes", dtype, share["tensors"].dump(),
                               grouped(share["bytes"])));
  std::string memory = fmt::format("{} bytes in float32, {} in bfloat16",
                                   grouped(w["memory"]["float32"]), grouped(w["memory"]["bfloat16"]));
  if (w["memory"].contains("int8"))
    memory += fmt::format(", {} in int8, {} in int4", grouped(w["memory"]["int8"]),
                          grouped(w["memory"]["int4"]));
  line("memory", memory + " (weights alone)");
  const auto& t = info["tokenizer"];
  line("tokenizer", t.is_null()
                        ? "none in the folder"
                        : fmt::format("{}, {} entries, {} added tokens",
                                      t["type"].is_null() ? "?" : t["type"].get<std::string>(),
                                      t["vocabulary"].dump(), t["added_tokens"].dump()));
  line("template", template_text(info["template"]));
  const auto& l = info["lineage"];
  if (l.is_null()) return line("made by", "not helio (no manifest)");
  line("made by",
       fmt::format("helio {} ({}), content {}", l["made_by"].get<std::string>(),
                   l["version"].get<std::string>(), l["content"].get<std::string>().substr(0, 12)));
  for (const auto& input : l["inputs"])
    line("  from", fmt::format("{}: {} {} {}", input["role"].get<std::string>(),
                               input["kind"].get<std::string>(), input["name"].get<std::string>(),
                               input["content"].get<std::string>().substr(0, 12)));
  for (const auto& [name, fact] : l["facts"].items()) line("  fact", name + " " + compact(fact));
}

class ModelInfo final : public Command {
 public:
  Card card() const override {
    return {.positional = {"model"},
            .required = {"model"},
            .examples = {"helio model info models/solar-mini"}};
  }
  void describe(Fields& f) override { f.input("model", model_, "Hugging Face model folder."); }

  int run(Context& context) override {
    const fs::path dir = model_;
    const checkpoint::SafeTensors weights(dir);
    const Json config = load_json(dir / "config.json");
    OrderedJson info = {{"model", model_}, {"architecture", nullptr}, {"runs", true}};
    if (config.is_object() && config.contains("architectures") &&
        config["architectures"].is_array() && !config["architectures"].empty() &&
        config["architectures"][0].is_string())
      info["architecture"] = config["architectures"][0].get<std::string>();
    try {
      info["shape"] = shape_json(checkpoint::parse_decoder_config(config, "config.json"));
    } catch (const Error& error) {  // still worth describing
      info["runs"] = false;
      info["why_not"] = error.message();
    }
    info["weights"] = weights_json(weights);
    // A mixture of experts does not run so.
    if (info.contains("shape") && !info["shape"].contains("experts")) {
      info["weights"]["memory"]["int8"] = packed_bytes(weights, 34);
      info["weights"]["memory"]["int4"] = packed_bytes(weights, 18);
    }
    info["tokenizer"] = fs::exists(dir / "tokenizer.json") ? tokenizer_json(dir / "tokenizer.json")
                                                           : OrderedJson(nullptr);
    info["template"] = template_json(dir);
    info["lineage"] = has_manifest(dir) ? lineage_json(load_manifest(dir)) : OrderedJson(nullptr);
    if (context.json) context.out << compact(info) << "\n";
    else print_text(context.out, info);
    return 0;
  }

 private:
  std::string model_ = {};
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::ModelInfo)
