// A checkpoint seen as layers: what up-scaling and merging take apart.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "checkpoint/safetensors.h"
#include "core/json.h"

namespace helio::checkpoint {

inline constexpr std::string_view kLayerPrefix = "model.layers.";

// config.json says so; throws invalid naming `origin` when it says nothing sensible.
int64_t layers_of(const OrderedJson& config, const std::string& origin);

class LayeredModel {
 public:
  // Reads config.json and the headers. Throws when the architecture is none of helio's, a tensor is
  // missing or one belongs to a layer that config.json does not have.
  explicit LayeredModel(const std::filesystem::path& dir);

  const std::filesystem::path& dir() const { return dir_; }
  std::string origin() const { return (dir_ / "config.json").string(); }
  const OrderedJson& config() const { return config_; }
  const SafeTensors& weights() const { return weights_; }
  std::string architecture() const { return config_["architectures"][0].get<std::string>(); }
  int64_t layers() const { return static_cast<int64_t>(layers_.size()); }

  using Parts = std::map<std::string, const TensorInfo*>;
  // "mlp.up_proj.weight" and its like, without the layer's name.
  const Parts& layer(int64_t layer) const { return layers_.at(static_cast<size_t>(layer)); }
  // What belongs to no layer: below the layers (the embedding) and above (final norm, head).
  const Parts& below() const { return below_; }
  const Parts& above() const { return above_; }

 private:
  void sort_tensors();
  void check_tensors() const;

  std::filesystem::path dir_;
  OrderedJson config_;
  SafeTensors weights_;
  std::vector<Parts> layers_ = {};
  Parts below_ = {}, above_ = {};
};

// Do this layer's tensors write into the residual stream (o_proj, down_proj and what other families
// call them)? Zero there, a layer passes on what it gets.
bool writes_to_residual(std::string_view part);

}  // namespace helio::checkpoint
