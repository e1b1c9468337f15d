// A LoRA adapter on the model, as the commands that talk with one model ask for it.
#pragma once

#include "core/fields.h"
#include "engine/load_served_model.h"

namespace helio::engine {

// --adapter.
inline void describe_adapter(Fields& f, ServedModelOptions& options) {
  f("adapter", options.adapter,
    "Folder of a LoRA adapter as PEFT saves it, applied to the weights as they are read.");
}

}  // namespace helio::engine
