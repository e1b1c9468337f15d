// LoRA adapters in PEFT's layout (adapter_config.json, adapter_model.safetensors) merged into the
// weights they were trained on, as merge_and_unload of PEFT 0.21 does. Torch-free.
#pragma once

#include <cstdint>
#include <string>

#include "core/fields.h"
#include "core/monitor.h"

namespace helio::checkpoint {

struct MergeAdapterOptions {
  std::string base = {}, adapter = {}, out = {}, size = "0";
  int64_t threads = 0;
  void describe(Fields& f) {
    f.input("base", base, "Hugging Face model folder that the adapter was trained on.");
    f.input("adapter", adapter, "Folder with adapter_config.json and adapter_model.safetensors.");
    f("size", size, "Largest file, as for `helio model shard`; 0: one file.");
    f("threads", threads, "0: as many as the machine has. They do not change the result.",
      between(0, 256));
    f.output("out", out, "models", "Folder of the merged model.");
  }
};

struct MergeAdapterReport {
  int64_t tensors = 0, merged = 0, replaced = 0;  // replaced: modules_to_save
};

// Each weight W becomes W + scale B A, computed once in f32 and rounded to W's dtype; scale is
// lora_alpha / r, or lora_alpha / sqrt(r) with use_rslora. Error{invalid} names the tensor or key
// that is not what it must be, and what is not merged here (DoRA, other kinds of adapters, biases).
MergeAdapterReport merge_adapter(const MergeAdapterOptions& options, Monitor& monitor,
                                 const StopRequest& stop);

}  // namespace helio::checkpoint
