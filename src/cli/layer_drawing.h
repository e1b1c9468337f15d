// An up-scaling as text and JSON, for the commands that show one.
#pragma once

#include <string>

#include "checkpoint/surgery.h"
#include "core/json.h"

namespace helio::cli {

// What it is in one line, then the copies as rows: one mark a layer, a dot for a layer left out.
std::string layer_drawing(const checkpoint::UpscalePlan& plan);

// drop (by SOLAR's rule), seam, layer_map, layer_copy, and what is particular to new layers.
void add_layers(OrderedJson& json, const checkpoint::UpscalePlan& plan);

}  // namespace helio::cli
