// A model folder as the server offers it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "model/generation_engine.h"
#include "serve/served_model.h"

namespace helio::engine {

struct ServedModelOptions {
  std::string dtype = "float32", weights = "f32";  // model/load_decoder.h
  std::string draft = {};  // a model that proposes tokens (model/generation_engine.h); empty: none
  std::string adapter = {};  // a LoRA adapter's folder, applied to the weights; empty: none
  model::EngineOptions engine = {};
};

// Weights, tokenizer, chat template and stop ids of a Hugging Face folder or GGUF file.
// Error{invalid} for a draft with another vocabulary.
serve::ServedModel load_served_model(const std::string& name, const std::filesystem::path& dir,
                                     const ServedModelOptions& options);

// What /v1/models says of it: {"content": the hash that its helio_manifest.json has (not checked;
// null where there is none, and with an adapter), "dtype": ..., "weights": ...}. Reads no weights.
OrderedJson served_model_facts(const std::filesystem::path& dir, const ServedModelOptions& options);

// Bytes it will take: its weights, and the room for keys and values in f32.
uint64_t memory_of_served_model(const std::filesystem::path& dir,
                                const ServedModelOptions& options);

}  // namespace helio::engine
