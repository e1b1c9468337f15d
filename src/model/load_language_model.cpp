// A Hugging Face folder as a LanguageModel.
#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "model/load_decoder.h"
#include "model/local_model.h"

namespace helio::model {
namespace {

// Of what decides the numbers: weights, shape, tokenizer.
std::string content_of(const std::filesystem::path& dir, const std::string& weights) {
  Sha256Stream hash;
  if (weights != "f32") hash.update("weights " + weights + "\n");
  if (std::filesystem::is_regular_file(dir)) {  // GGUF
    hash.update(sha256_file(dir));
    return hash.hex();
  }
  for (const auto& file : list_files(dir)) {
    const std::string name = file.lexically_relative(dir).generic_string();
    if (name.ends_with(".safetensors") || name == "config.json" || name == "tokenizer.json")
      hash.update(name + " " + sha256_file(file) + "\n");
  }
  return hash.hex();
}

}  // namespace

std::unique_ptr<LanguageModel> load_language_model(const std::filesystem::path& dir,
                                                   const LoadOptions& options) {
  return in_context(
      [&] { return "loading the model in " + dir.string(); },
      [&] {
        auto tokenizer = text::load_tokenizer(dir);
        const auto special_ids = text::load_special_ids(dir, *tokenizer);
        return make_language_model(
            {.decoder = load_decoder_to_run(dir, options.dtype, options.weights),
             .tokenizer = std::move(tokenizer),
             .special_ids = special_ids,
             .content = [dir, weights = options.weights] { return content_of(dir, weights); },
             .folder = dir},
            options);
      });
}

}  // namespace helio::model
