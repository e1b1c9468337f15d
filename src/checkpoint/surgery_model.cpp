#include "checkpoint/surgery_model.h"

#include <fmt/format.h>

#include <charconv>
#include <set>

#include "checkpoint/model_folder.h"
#include "checkpoint/safetensors_header.h"
#include "checkpoint/surgery_config.h"
#include "core/error.h"

namespace helio::checkpoint {
namespace {

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

}  // namespace

int64_t layers_of(const OrderedJson& config, const std::string& origin) {
  const auto it = config.find("num_hidden_layers");
  if (it == config.end() || !it->is_number_integer() || it->get<int64_t>() < 1 ||
      it->get<int64_t>() > 100'000)
    throw Error(ErrorKind::invalid, origin + ": 'num_hidden_layers' is not a number of layers");
  return it->get<int64_t>();
}

LayeredModel::LayeredModel(const fs::path& dir)
    : dir_(dir), config_(load_model_config(dir)), weights_(dir) {
  check_layered(config_, origin());
  layers_.resize(static_cast<size_t>(layers_of(config_, origin())));
  sort_tensors();
  check_tensors();
}

void LayeredModel::sort_tensors() {
  for (const auto& tensor : weights_.tensors()) {
    LayerTensor part = split_name(tensor.name);
    if (part.layer >= layers())
      throw Error(
          ErrorKind::invalid,
          fmt::format(
              "tensor '{}' belongs to a layer that config.json, with {} layers, does not have",
              shown(tensor.name), layers()))
          .with_hint("config.json and the weights belong to different models");
    if (part.layer >= 0) layers_[static_cast<size_t>(part.layer)][part.rest] = &tensor;
    else (tensor.name.find("embed") != std::string::npos ? below_ : above_)[tensor.name] = &tensor;
  }
}

// Layers of one kind are alike: a tensor that one has and another lacks is missing.
void LayeredModel::check_tensors() const {
  weights_.at("model.embed_tokens.weight");
  weights_.at("model.norm.weight");
  if (config_.contains("tie_word_embeddings") && config_["tie_word_embeddings"] == false)
    weights_.at("lm_head.weight");
  const auto dense = dense_layers(config_, layers(), origin());
  std::set<std::string> parts[2];
  for (size_t i = 0; i < layers_.size(); ++i)
    for (const auto& [rest, tensor] : layers_[i]) parts[dense[i] ? 1 : 0].insert(rest);
  if (parts[0].empty() && parts[1].empty())
    weights_.at(std::string(kLayerPrefix) + "0.input_layernorm.weight");
  for (size_t i = 0; i < layers_.size(); ++i)
    for (const auto& rest : parts[dense[i] ? 1 : 0])
      if (!layers_[i].contains(rest)) weights_.at(fmt::format("{}{}.{}", kLayerPrefix, i, rest));
}

bool writes_to_residual(std::string_view part) {
  const size_t dot = part.rfind('.');
  if (dot == std::string_view::npos) return false;
  const std::string_view module = part.substr(0, dot);
  const size_t before = module.rfind('.');
  const std::string_view last =
      before == std::string_view::npos ? module : module.substr(before + 1);
  // w2: Mixtral's experts.
  return last == "o_proj" || last == "down_proj" || last == "w2";
}

}  // namespace helio::checkpoint
