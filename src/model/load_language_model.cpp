// A Hugging Face folder or GGUF file as a LanguageModel.
#include "core/error.h"
#include "core/file_hashes.h"
#include "core/fs.h"
#include "core/hash.h"
#include "model/load_decoder.h"
#include "model/local_model.h"

namespace helio::model {
namespace {

// Of what decides a model's numbers: weights, shape, tokenizer, and the adapter, if any.
std::string model_content(const std::filesystem::path& model, const std::filesystem::path& adapter,
                          const std::string& weights, FileHashes& hashes) {
  Sha256Stream hash;
  if (weights != "f32") hash.update("weights " + weights + "\n");
  if (std::filesystem::is_regular_file(model)) {  // GGUF
    hash.update(hashes.of(model));
  } else {
    for (const auto& file : list_files(model)) {
      const std::string name = file.lexically_relative(model).generic_string();
      if (name.ends_with(".safetensors") || name == "config.json" || name == "tokenizer.json")
        hash.update(name + " " + hashes.of(file) + "\n");
    }
  }
  if (!adapter.empty())
    for (const char* name : {"adapter_config.json", "adapter_model.safetensors"})
      hash.update(std::string(name) + " " + hashes.of(adapter / name) + "\n");
  return hash.hex();
}

}  // namespace

std::unique_ptr<LanguageModel> load_language_model(const std::filesystem::path& dir,
                                                   const LoadOptions& options,
                                                   const std::filesystem::path& adapter,
                                                   FileHashes* hashes) {
  const auto doing = [&] {
    return "loading the model in " + dir.string() +
           (adapter.empty() ? "" : " with the adapter in " + adapter.string());
  };
  return in_context(doing, [&] {
    auto tokenizer = text::load_tokenizer(dir);
    const auto special_ids = text::load_special_ids(dir, *tokenizer);
    const auto content = [dir, adapter, weights = options.weights, hashes] {
      FileHashes none;
      return model_content(dir, adapter, weights, hashes ? *hashes : none);
    };
    return make_language_model(
        {.decoder = load_decoder_to_run(dir, options.dtype, options.weights, adapter),
         .tokenizer = std::move(tokenizer),
         .special_ids = special_ids,
         .content = content,
         .folder = dir},
        options);
  });
}

}  // namespace helio::model
