// Folders from before tokenizer.json: vocab.json with merges.txt (GPT-2, RoBERTa, Qwen 2), and
// vocab.txt (BERT).
#pragma once

#include "text/formats/tokenizer_file.h"

namespace helio::text {

// As transformers 5 makes a fast tokenizer of them, by the class in tokenizer_config.json
// (without one: GPT2Tokenizer or BertTokenizer). Error{invalid} names a class that is not known.
TokenizerFile read_gpt2_folder(const fs::path& dir);
TokenizerFile read_bert_folder(const fs::path& dir);

}  // namespace helio::text
