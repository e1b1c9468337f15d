// Tokenizers in Hugging Face's tokenizer.json: ids, offsets and text equal HF `tokenizers`. Other
// formats are read as such (formats/tokenizer_file.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace helio::text {

using TokenId = int32_t;

struct AddedToken {
  TokenId id = 0;
  std::string content = {};
  bool special = false, lstrip = false, rstrip = false, single_word = false, normalized = false;
};

struct Offset {
  int64_t begin = 0, end = 0;
  bool operator==(const Offset&) const = default;
};

// Ids, and for each the part of the text it stands for, in characters (as HF's Encoding.offsets)
// and in bytes. What the post-processor adds has (0, 0).
struct Encoding {
  std::vector<TokenId> ids = {};
  std::vector<Offset> characters = {}, bytes = {};
};

enum class SpecialTokens { skip, add };  // what the post-processor adds (BOS ...)

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Ids of a text. Special tokens written out in the text are found, as HF does.
  // Any bytes are allowed: invalid UTF-8 is read as U+FFFD, as Python's errors="replace".
  virtual std::vector<TokenId> encode(std::string_view text,
                                      SpecialTokens special = SpecialTokens::add) const = 0;
  // The same ids with their places; slower. Offsets count in the text with invalid UTF-8 replaced.
  // Error{invalid} from a kind of tokenizer that does not know them.
  virtual Encoding encode_with_offsets(std::string_view text,
                                       SpecialTokens special = SpecialTokens::add) const;
  virtual std::string decode(const std::vector<TokenId>& ids,
                             SpecialTokens special = SpecialTokens::skip) const = 0;
  // The raw bytes of one token (may be part of a UTF-8 character).
  virtual std::string token_bytes(TokenId id) const = 0;
  virtual int64_t vocab_size() const = 0;  // largest id + 1, added tokens included
  virtual std::optional<TokenId> id_of(
      std::string_view token) const = 0;  // as written in the vocabulary
  virtual const std::vector<AddedToken>& added_tokens() const = 0;
};

// Decodes ids one by one. No part ends inside a character, and all parts together with finish()
// are what decode() makes of all ids, as long as later tokens do not change the text of earlier
// ones, as HF's stream (a byte token that makes a run of them no UTF-8 does, Strip at ends, CTC).
class DecodeStream {
 public:
  explicit DecodeStream(const Tokenizer& tokenizer, SpecialTokens special = SpecialTokens::skip)
      : tokenizer_(&tokenizer), special_(special) {}
  // The text that is certain with this token; empty while a character is not complete.
  std::string step(TokenId id);
  // What is left: replacement characters for bytes that make no character.
  std::string finish();

 private:
  std::string take(std::string text);

  const Tokenizer* tokenizer_;
  SpecialTokens special_;
  std::vector<TokenId> ids_ = {};  // what the next text is decoded from
  std::string given_ = {};         // their text that was given out
  size_t given_ids_ = 0;
};

// Reads a tokenizer.json or a file of another format, known by its content, or the one in a folder.
// An unsupported component is an error that names it. Safe on hostile files.
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& file_or_dir);
// The same from memory; `source` names it in errors.
std::unique_ptr<Tokenizer> parse_tokenizer(std::string_view json, const std::string& source);

// What stands beside a tokenizer.json (tokenizer_config.json, special_tokens_map.json,
// generation_config.json, config.json), or in a tokenizer file of another format: ids by role, or
// nothing. The path is the one the tokenizer was loaded from.
struct SpecialIds {
  std::optional<TokenId> bos = {}, eos = {}, pad = {}, unk = {};
};
SpecialIds load_special_ids(const std::filesystem::path& file_or_dir, const Tokenizer& tokenizer);

}  // namespace helio::text
