// A Hugging Face tokenizer as the "tokenizer.*" keys of a GGUF file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/gguf_write.h"

namespace helio::text {

struct GgufVocabulary {
  std::string model = {};  // "gpt2" or "llama"
  std::string pre = {};    // how llama.cpp cuts texts into words: "llama-bpe"
  int64_t tokens = 0;      // with those that fill the vocabulary up
  int64_t filled = 0;      // ids of the model that the tokenizer has no token for
  bool chat_template = false;
};

// Reads tokenizer.json, tokenizer_config.json and chat_template.jinja of `dir`. `vocabulary` is
// the number of rows of the embedding: ids without a token become "[PAD5]" as llama.cpp's converter
// names them. `pre` follows from the Split pattern, so that tokens added by a fine-tune do not
// matter. Throws not_found without tokenizer.json and invalid for a tokenizer that llama.cpp has no
// name for: Unigram, WordPiece, a pattern that is not known.
GgufVocabulary set_gguf_vocabulary(GgufPlan& plan, const std::filesystem::path& dir,
                                   int64_t vocabulary);

}  // namespace helio::text
