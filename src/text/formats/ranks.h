// Byte-level BPE written as tokens and ranks: tiktoken's files and Mistral's tekken.json.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/formats/tokenizer_file.h"

namespace helio::text {

struct RankedVocabulary {
  std::vector<std::pair<std::string, TokenId>> tokens = {};    // bytes and ids, in order of rank
  std::vector<std::pair<std::string, TokenId>> specials = {};  // texts and ids
  std::string pattern = {};                                    // in tokenizer.json's syntax
  std::string normal_form = {};                                // "NFC" or empty
};

// A document whose ids are tiktoken's: neighbours that make a token are merged in the order of the
// tokens, from left to right. Error{invalid} when a byte is no token or a token is there twice.
OrderedJson ranked_document(const RankedVocabulary& vocabulary);
// The same without "one_rank", which HF's reader does not know.
OrderedJson without_ranks(OrderedJson document);

// Whether a file has tiktoken's lines ("IQ== 0").
bool looks_like_tiktoken(std::string_view bytes);
// Reads such a file. `encoding` names pattern and special tokens (see tiktoken_encodings); empty:
// by the file's hash. Error{invalid} says which there are when that does not tell.
TokenizerFile read_tiktoken(std::string_view bytes, const std::string& encoding);
const std::vector<std::string>& tiktoken_encodings();
// The same with the pattern and the special tokens of an encoding.json (see ranks_write.h) that
// stands beside it.
TokenizerFile read_tiktoken(std::string_view bytes, const Json& encoding);

// Reads a tekken.json that was parsed already. Special tokens come first, as mistral-common and
// transformers number them.
TokenizerFile read_tekken(const Json& json);

std::string from_base64(std::string_view text, const std::string& of);

}  // namespace helio::text
