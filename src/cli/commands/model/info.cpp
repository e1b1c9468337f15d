// Say what a model folder holds: architecture, size, memory, tokenizer, where it comes from.
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

OrderedJson shape_json(const checkpoint::DecoderConfig& config) {
  return {{"layers", config.layers},
          {"hidden", config.hidden_size},
          {"ffn", config.intermediate_size},
          {"heads", config.heads},
          {"kv_heads", config.kv_heads},
          {"head_dim", config.head_dim},
          {"vocabulary", config.vocab_size},
          {"positions", config.max_positions},
          {"tied_embeddings", config.tied_embeddings},
          {"rope", config.rope.type},
          {"rope_theta", config.rope_theta},
          {"parameters", config.parameters()},
          // One position's keys and values in 16 bits.
          {"kv_cache_bytes_per_token", 4 * config.layers * config.kv_heads * config.head_dim}};
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
    line("rope", fmt::format("{}, theta {}", s["rope"].get<std::string>(), s["rope_theta"].dump()));
    line("kv cache", grouped(s["kv_cache_bytes_per_token"]) + " bytes a token in 16 bits");
  }
  line("runs here", info["runs"] == true ? "yes" : "no: " + info["why_not"].get<std::string>());
  const auto& w = info["weights"];
  line("parameters", grouped(w["parameters"]));
  for (const auto& [dtype, share] : w["stored"].items())
    line("stored", fmt::format("{}: {} tensors, {} bytes", dtype, share["tensors"].dump(),
                               grouped(share["bytes"])));
  line("memory", fmt::format("{} bytes in float32, {} in bfloat16 (weights alone)",
                             grouped(w["memory"]["float32"]), grouped(w["memory"]["bfloat16"])));
  const auto& t = info["tokenizer"];
  line("tokenizer", t.is_null()
                        ? "none in the folder"
                        : fmt::format("{}, {} entries, {} added tokens",
                                      t["type"].is_null() ? "?" : t["type"].get<std::string>(),
                                      t["vocabulary"].dump(), t["added_tokens"].dump()));
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
    info["tokenizer"] = fs::exists(dir / "tokenizer.json") ? tokenizer_json(dir / "tokenizer.json")
                                                           : OrderedJson(nullptr);
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
