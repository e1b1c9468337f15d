// What the other files of a Hugging Face folder say of a tokenizer that is no tokenizer.json.
#pragma once

#include "text/formats/tokenizer_file.h"

namespace helio::text {

// Adds to a SentencePiece tokenizer what tokenizer_config.json and added_tokens.json say, by the
// rules of transformers' tokenizer classes: tokens beside the pieces, BOS and EOS around a text.
// Error{invalid} for classes that number their pieces otherwise.
void apply_folder(const fs::path& dir, TokenizerFile& tokenizer);

}  // namespace helio::text
