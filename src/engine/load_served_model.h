// A model folder as the server offers it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "model/generation_engine.h"
#include "serve/served_model.h"

namespace helio::engine {

struct ServedModelOptions {
  std::string dtype = "float32", weights = "f32";  // model/load_decoder.h
  model::EngineOptions engine = {};
};

// What ends an answer: the eos ids of generation_config.json (Llama 3: end of text and of turn),
// and the tokenizer's.
std::vector<text::TokenId> stop_ids_of(const std::filesystem::path& dir,
                                       const text::SpecialIds& special,
                                       const text::Tokenizer& tokenizer);

// Weights, tokenizer, chat template and stop ids of a Hugging Face folder.
serve::ServedModel load_served_model(const std::string& name, const std::filesystem::path& dir,
                                     const ServedModelOptions& options);

// Bytes it will take: its weights in `dtype` and the room for keys and values.
uint64_t memory_of_served_model(const std::filesystem::path& dir,
                                const ServedModelOptions& options);

}  // namespace helio::engine
