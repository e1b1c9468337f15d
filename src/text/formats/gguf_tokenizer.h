// The tokenizer in a GGUF file ("tokenizer.ggml.*"), as llama.cpp reads it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/gguf.h"
#include "text/formats/tokenizer_file.h"

namespace helio::text {

// Models gpt2, llama, bert and t5. Error{invalid} names any other, and a "pre" that is not known
// with those that are.
TokenizerFile read_gguf_tokenizer(const GgufHeader& header);

// How texts are cut into words for a name of "tokenizer.ggml.pre".
struct GgufSplit {
  std::vector<std::string> patterns = {};  // each cuts what the one before has left whole
  bool ignore_merges = false, add_bos = false, add_sep = false;
};
GgufSplit gguf_split(std::string_view pre);
std::vector<std::string> gguf_split_names();

}  // namespace helio::text
