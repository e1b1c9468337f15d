// What changes between a model's tokenizer and one that continues it: which ids are new, and which
// old ids stood for their text.
#pragma once

#include <filesystem>
#include <string>

#include "checkpoint/resize.h"
#include "core/monitor.h"

namespace helio::cli {

struct TokenizerChange {
  checkpoint::VocabularyChange vocabulary = {};
  std::string pieces_from = {};  // "extension.json", "the model's tokenizer" or "nothing"
};

// Reads `tokenizer` (folder or file), the tokenizer of `model` if there is one, and extension.json
// beside the new one if there is one. Old ids that mean another token in the new tokenizer are an
// error that names the first.
TokenizerChange find_tokenizer_change(const std::filesystem::path& model,
                                      const std::filesystem::path& tokenizer, Monitor& monitor);

}  // namespace helio::cli
