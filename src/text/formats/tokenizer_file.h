// Tokenizers of other formats than tokenizer.json, each read as a tokenizer.json document that
// JsonTokenizer loads: one engine gives ids, offsets and text for all of them.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/fs.h"
#include "core/json.h"
#include "text/tokenizer.h"

namespace helio::text {

struct TokenizerFile {
  std::string format = {};   // "tokenizer.json", "SentencePiece", ...
  fs::path path = {};        // the file that was read
  std::string made_of = {};  // "unigram model, 8,000 pieces, nmt_nfkc", for people
  // A tokenizer.json; its model and normaliser may be of types that only this engine has (see
  // standard_document).
  OrderedJson document = {};
  // What the file itself says of roles; empty where it does not.
  SpecialIds roles = {};
  std::string chat_template = {};
};

// Reads a tokenizer of any known format, known by its content, or the one in a folder:
// tokenizer.json before the others; what a folder says beside it counts too
// (tokenizer_config.json). Error{invalid} names what was found when it is none of them. Safe on
// hostile files.
struct ReadTokenizerOptions {
  std::string encoding = {};  // of a file of tiktoken ranks: "cl100k_base" ...; empty: by its hash
};
TokenizerFile read_tokenizer_file(const fs::path& file_or_dir,
                                  const ReadTokenizerOptions& options = {});

// The same from memory: one file, without what stands beside it. `source` names it in errors.
TokenizerFile parse_tokenizer_file(std::string_view bytes, const std::string& source,
                                   const ReadTokenizerOptions& options = {});
std::unique_ptr<Tokenizer> make_tokenizer(const OrderedJson& document);

// The file of a folder that read_tokenizer_file reads, if it has one.
std::optional<fs::path> tokenizer_file_of(const fs::path& dir);

// The same tokenizer out of parts that every reader of tokenizer.json has, as near as they come:
// SentencePiece's own arithmetic and whitespace rules are written with HF's. Error{invalid} when
// there are none near enough.
OrderedJson standard_document(const OrderedJson& document);

}  // namespace helio::text
