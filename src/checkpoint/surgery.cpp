#include "checkpoint/surgery.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "checkpoint/model_folder.h"
#include "checkpoint/safetensors_header.h"
#include "core/error.h"
#include "core/manifest.h"
#include "core/version.h"

namespace helio::checkpoint {
namespace {

constexpr std::string_view kLayerPrefix = "model.layers.";

// "model.layers.12.mlp.up_proj.weight" is layer 12 and "mlp.up_proj.weight".
struct LayerTensor {
  int64_t layer = -1;  // -1: belongs to no layer
  std::string rest = {};
};

LayerTensor split_name(const std::string& name) {
  if (!name.starts_with(kLayerPrefix)) return {};
  const char* begin = name.data() + kLayerPrefix.size();
  const char* end = name.data() + name.size();
  LayerTensor out;
  const auto [dot, problem] = std::from_chars(begin, end, out.layer);
  const bool canonical = problem == std::errc() && out.layer >= 0 &&
                         std::to_string(out.layer).size() == size_t(dot - begin);
  if (!canonical || dot == end || *dot != '.')
    throw Error(ErrorKind::invalid, "tensor '" + shown(name) + "' has no layer number");
  out.rest.assign(dot + 1, end);
  return out;
}

int64_t layers_of(const OrderedJson& config, const std::string& origin) {
  const auto it = config.find("num_hidden_layers");
  if (it == config.end() || !it->is_number_integer() || it->get<int64_t>() < 1 ||
      it->get<int64_t>() > 100'000)
    throw Error(ErrorKind::invalid, origin + ": 'num_hidden_layers' is not a number of layers");
  return it->get<int64_t>();
}

void check_family(const OrderedJson& config, const std::string& origin) {
  std::string name;
  if (const auto it = config.find("architectures");
      it != config.end() && it->is_array() && it->size() == 1 && (*it)[0].is_string())
    name = (*it)[0].get<std::string>();
  const auto families = decoder_architectures();
  if (std::find(families.begin(), families.end(), name) == families.end())
    throw Error(ErrorKind::invalid,
                fmt::format("{}: architecture '{}' cannot be up-scaled", origin, shown(name)))
        .with_hint(fmt::format("supported: {}", fmt::join(families, ", ")));
}

int64_t number_or(const OrderedJson& config, const char* key, int64_t otherwise) {
  const auto it = config.find(key);
  return it == config.end() || !it->is_number_integer() ? otherwise : it->get<int64_t>();
}

// Some families say by a rule of the layer's number which layers look through a window: in doubled
// layers that must be said layer by layer. Qwen: all from an index on; Gemma 2: every other;
// Gemma 3: all but every sixth, or as sliding_window_pattern says.
void spell_out_windows(OrderedJson& config, int64_t layers) {
  if (config.contains("layer_types") && !config["layer_types"].is_null()) return;
  const std::string name = config["architectures"][0].get<std::string>();
  const bool qwen = config.contains("use_sliding_window") && config["use_sliding_window"] == true &&
                    config.contains("max_window_layers") && name != "Qwen3MoeForCausalLM";
  const bool gemma2 = name == "Gemma2ForCausalLM", gemma3 = name == "Gemma3ForCausalLM";
  if (!qwen && !gemma2 && !gemma3) return;
  const int64_t first = number_or(config, "max_window_layers", 0);
  const int64_t pattern =
      gemma2 ? 2 : std::max<int64_t>(1, number_or(config, "sliding_window_pattern", 6));
  auto types = OrderedJson::array();
  for (int64_t i = 0; i < layers; ++i) {
    const bool slides = qwen ? i >= first : (i + 1) % pattern != 0;
    types.push_back(slides ? "sliding_attention" : "full_attention");
  }
  config["layer_types"] = types;
}

// Layers with experts and layers without, by a rule of the layer's number: not doubled yet.
void refuse_mixed_experts(const OrderedJson& config, const std::string& origin) {
  const bool named = config.contains("mlp_only_layers") && config["mlp_only_layers"].is_array() &&
                     !config["mlp_only_layers"].empty();
  if (named || number_or(config, "decoder_sparse_step", 1) != 1)
    throw Error(ErrorKind::invalid, origin + ": only some layers have experts")
        .with_hint("models whose layers all have experts, or none, can be up-scaled");
}

int64_t count_parameters(const std::vector<TensorCopy>& tensors) {
  int64_t count = 0;
  for (const auto& tensor : tensors)
    if (!tensor.name.ends_with(".inv_freq"))
      count += tensor.source->elements();  // a table, not a weight
  return count;
}

}  // namespace

UpscalePlan plan_upscale(int64_t source_layers, int64_t drop) {
  const int64_t most = (source_layers - 1) / 2;
  if (source_layers < 1 || drop < 0 || drop > most)
    throw Error(ErrorKind::usage,
                fmt::format("cannot drop {} of {} layers: two copies without them would have {}, "
                            "no deeper than the model",
                            drop, source_layers, std::max<int64_t>(0, 2 * (source_layers - drop))))
        .with_hint(source_layers < 1
                       ? "the model has no layers"
                       : fmt::format(
                             "--drop can be 0 (repeat everything) to {}; SOLAR drops a quarter: {}",
                             most, source_layers / 4));
  UpscalePlan plan{.source_layers = source_layers, .drop = drop, .seam = source_layers - drop};
  for (int64_t i = 0; i < source_layers - drop; ++i) plan.layers.push_back({.layer = i, .copy = 1});
  for (int64_t i = drop; i < source_layers; ++i) plan.layers.push_back({.layer = i, .copy = 2});
  return plan;
}

int64_t upscaled_parameters(const DecoderConfig& source, const UpscalePlan& plan) {
  DecoderConfig deeper = source;
  deeper.layers = static_cast<int64_t>(plan.layers.size());
  return deeper.parameters();
}

OrderedJson upscaled_config(const OrderedJson& source, const UpscalePlan& plan,
                            const std::string& origin) {
  check_family(source, origin);
  refuse_mixed_experts(source, origin);
  OrderedJson config = source;
  spell_out_windows(config, plan.source_layers);
  if (config.contains("layer_types") && !config["layer_types"].is_null()) {
    const OrderedJson old = config["layer_types"];
    if (!old.is_array() || old.size() != static_cast<size_t>(plan.source_layers))
      throw Error(ErrorKind::invalid,
                  fmt::format("{}: 'layer_types' does not have one entry for each of the {} layers",
                              origin, plan.source_layers));
    auto types = OrderedJson::array();
    for (const auto& layer : plan.layers) types.push_back(old[static_cast<size_t>(layer.layer)]);
    config["layer_types"] = types;
  }
  config["num_hidden_layers"] = plan.layers.size();
  return config;
}

Upscale::Upscale(const UpscaleOptions& options) : options_(options), source_(options.model) {
  const fs::path dir = options.model;
  const OrderedJson config = load_model_config(dir);
  const std::string origin = (dir / "config.json").string();
  if (!options.out.empty()) check_new_model_folder(dir, options.out);
  plan_ = plan_upscale(layers_of(config, origin), options.drop);
  config_ = upscaled_config(config, plan_, origin);
  const auto tensors = rename_tensors(config);

  uint64_t largest = 0;
  for (const auto& file : source_.files()) {
    before_.bytes += fs::file_size(file);
    largest = std::max<uint64_t>(largest, fs::file_size(file));
  }
  uint64_t shard_size = static_cast<uint64_t>(options.shard_size);
  if (shard_size == 0 && source_.files().size() > 1) shard_size = largest;
  auto metadata = source_.metadata();
  metadata.try_emplace("format", "pt");  // transformers 4 refuses files without it
  files_ = plan_output(tensors, metadata, shard_size);

  std::vector<TensorCopy> old;
  for (const auto& tensor : source_.tensors())
    old.push_back({.name = tensor.name, .source = &tensor});
  before_.layers = plan_.source_layers;
  before_.parameters = count_parameters(old);
  before_.files = source_.files().size();
  after_.layers = static_cast<int64_t>(plan_.layers.size());
  after_.parameters = count_parameters(tensors);
  after_.files = files_.size();
  for (const auto& file : files_) after_.bytes += file.size;
}

// The new model's tensors from the embedding up to the head, so that shards follow the layers.
std::vector<TensorCopy> Upscale::rename_tensors(const OrderedJson& config) const {
  std::vector<std::map<std::string, const TensorInfo*>> layers(
      static_cast<size_t>(plan_.source_layers));
  std::vector<TensorCopy> first, last;
  for (const auto& tensor : source_.tensors()) {
    const LayerTensor part = split_name(tensor.name);
    if (part.layer >= plan_.source_layers)
      throw Error(
          ErrorKind::invalid,
          fmt::format(
              "tensor '{}' belongs to a layer that config.json, with {} layers, does not have",
              shown(tensor.name), plan_.source_layers))
          .with_hint("config.json and the weights belong to different models");
    if (part.layer >= 0) layers[static_cast<size_t>(part.layer)][part.rest] = &tensor;
    else
      (tensor.name.find("embed") != std::string::npos ? first : last)
          .push_back({.name = tensor.name, .source = &tensor});
  }
  source_.at("model.embed_tokens.weight");
  source_.at("model.norm.weight");
  if (config.contains("tie_word_embeddings") && config["tie_word_embeddings"] == false)
    source_.at("lm_head.weight");
  // Layers of these families are alike: a tensor that one layer has and another lacks is missing.
  std::set<std::string> parts;
  for (const auto& layer : layers)
    for (const auto& [rest, tensor] : layer) parts.insert(rest);
  if (parts.empty()) source_.at(std::string(kLayerPrefix) + "0.input_layernorm.weight");
  for (size_t i = 0; i < layers.size(); ++i)
    for (const auto& rest : parts)
      if (!layers[i].contains(rest)) source_.at(fmt::format("{}{}.{}", kLayerPrefix, i, rest));

  std::vector<TensorCopy> all = std::move(first);
  for (size_t i = 0; i < plan_.layers.size(); ++i)
    for (const auto& [rest, tensor] : layers[static_cast<size_t>(plan_.layers[i].layer)])
      all.push_back({.name = fmt::format("{}{}.{}", kLayerPrefix, i, rest), .source = tensor});
  all.insert(all.end(), last.begin(), last.end());
  return all;
}

void Upscale::write(Monitor& monitor, const StopRequest& stop) const {
  if (options_.out.empty())
    throw Error(ErrorKind::usage, "no folder to write to").with_hint("add --out DIR");
  in_context([&] { return "writing the up-scaled model to '" + options_.out + "'"; },
             [&] {
               StagedDir staged(options_.out);
               write_output(staged.path(), source_, files_, monitor, stop);
               write_file_atomic(staged.path() / "config.json", pretty(config_));
               for (const auto& names : {tokenizer_files(), model_papers()})
                 for (const auto name : names)
                   if (const fs::path from = fs::path(options_.model) / name;
                       fs::is_regular_file(from))
                     copy_whole_file(from, staged.path() / name);
               stop.check();
               seal(staged.path());
               stop.check();
               staged.commit();
             });
}

void Upscale::seal(const fs::path& dir) const {
  fs::path out = options_.out;
  if (out.filename().empty()) out = out.parent_path();
  Manifest manifest;
  manifest.kind = "model";
  manifest.name = out.filename().string();
  manifest.made_by = "upscale";
  manifest.version = version();
  manifest.code = code_hash("checkpoint");
  manifest.inputs.push_back(describe_input("model", options_.model));
  manifest.options = {{"drop", options_.drop}, {"shard_size", options_.shard_size}};
  auto layer_map = OrderedJson::array(), layer_copy = OrderedJson::array();
  for (const auto& layer : plan_.layers) {
    layer_map.push_back(layer.layer);
    layer_copy.push_back(layer.copy);
  }
  manifest.facts = {{"parameters", after_.parameters},
                    {"layers", after_.layers},
                    {"base", manifest.inputs[0].name},
                    {"base_parameters", before_.parameters},
                    {"base_layers", before_.layers},
                    {"drop", plan_.drop},
                    {"seam", plan_.seam},
                    {"layer_map", std::move(layer_map)},
                    {"layer_copy", std::move(layer_copy)}};
  seal_artefact(dir, manifest);
}

}  // namespace helio::checkpoint
