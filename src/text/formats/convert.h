// Writes a tokenizer in another format than the one it was read in, and checks that it is the same.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "text/formats/tokenizer_file.h"

namespace helio::text {

enum class TokenizerTarget { tokenizer_json, sentencepiece, tiktoken };

// Writes into the folder `dir`:
//   tokenizer_json  tokenizer.json, tokenizer_config.json, special_tokens_map.json and, where there
//                   is one, chat_template.jinja: what transformers' AutoTokenizer loads
//   sentencepiece   tokenizer.model
//   tiktoken        ranks.tiktoken, and encoding.json with the pattern and the special tokens
// Returns the file to load. Error{invalid} says why a tokenizer cannot be said in that format.
fs::path write_tokenizer(const fs::path& dir, const TokenizerFile& tokenizer,
                         TokenizerTarget target);

// Texts to compare two tokenizers on: pages of several languages and code, hard cases, and what the
// tokens of the vocabulary stand for.
std::vector<std::string> check_texts(const Tokenizer& tokenizer);

// Whether the ids are the same; if not, what differs first ("the tokenizers differ on ...").
std::optional<std::string> difference(const Tokenizer& before, const Tokenizer& after,
                                      const std::string& text, SpecialTokens special);

}  // namespace helio::text
