// The config.json of a model whose layers come from others: what is said of single layers, by lists
// or by rules of the layer's number, follows the layers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/json.h"

namespace helio::checkpoint {

// Throws invalid, by name, when the architecture is none of helio's or a setting depends on the
// layer's number in a way that is not known here.
void check_layered(const OrderedJson& config, const std::string& origin);

// Which layers have no experts, by Qwen 3 MoE's two keys; all false for other families.
std::vector<bool> dense_layers(const OrderedJson& config, int64_t layers,
                               const std::string& origin);

struct ConfigLayer {
  const OrderedJson* config = nullptr;  // of the model that the layer is from; checked
  int64_t layer = 0;
};

// `base` with the number of layers and its per-layer settings taken from where each layer is from.
OrderedJson config_of_layers(const OrderedJson& base, std::span<const ConfigLayer> layers,
                             const std::string& origin);

}  // namespace helio::checkpoint
