// Where a model on this machine lies: what `helio eval run` takes for MODEL besides endpoints.
#pragma once

#include <filesystem>
#include <string>

namespace helio::eval {

struct ModelPlace {
  std::filesystem::path model = {};    // a Hugging Face folder or a GGUF file
  std::filesystem::path adapter = {};  // a LoRA adapter's folder, applied to it; empty: none
};

// `given` is a model's folder, a .gguf file, or an adapter's folder as PEFT saves it. An adapter's
// base is `base` when that is not empty, else what its adapter_config.json names, when it is a
// folder here. Error{not_found}: no such model; Error{usage}: an adapter without a base.
ModelPlace find_model(const std::string& given, const std::string& base);

}  // namespace helio::eval
