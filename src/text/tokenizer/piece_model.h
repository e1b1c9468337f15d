// What turns a piece of text (a word, or a whole text where nothing cuts it) into token ids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "text/tokenizer.h"

namespace helio::text {

// A token and the bytes of the piece it stands for. Tokens made of one piece's bytes by byte
// fallback have the whole character.
struct TokenSpan {
  enum class Value : uint8_t { of_vocabulary, of_text };
  TokenId id = 0;
  size_t begin = 0, end = 0;
  // Whether the token reads as in the vocabulary or as the text it was found for (unknown text).
  Value value = Value::of_vocabulary;
};

class PieceModel {
 public:
  virtual ~PieceModel() = default;

  // What encoding writes to: buffers and a cache of words seen lately. One for each thread.
  class Scratch {
   public:
    virtual ~Scratch() = default;
  };
  virtual std::unique_ptr<Scratch> make_scratch() const = 0;

  // Appends the ids of one piece (valid UTF-8, not empty).
  virtual void encode(std::string_view piece, Scratch& scratch,
                      std::vector<TokenId>& out) const = 0;
  // The same ids with their places; slower.
  virtual void encode_spans(std::string_view piece, Scratch& scratch,
                            std::vector<TokenSpan>& out) const = 0;

  virtual std::optional<TokenId> id_of(std::string_view token) const = 0;
  virtual const std::string* token(TokenId id) const = 0;  // null when unused
  virtual size_t tokens() const = 0;                       // entries of the vocabulary
  virtual TokenId largest_id() const = 0;
};

// Whether a BPE model may read raw bytes, because every piece it gets would be written in byte
// letters.
enum class Alphabet { characters, bytes };

// "model" of a tokenizer.json: BPE, Unigram, WordPiece or WordLevel. Error{invalid} names what is
// wrong or not supported.
std::unique_ptr<PieceModel> read_piece_model(const Json& json, Alphabet alphabet);
// The kind, which files older than the member "type" say by what else they have.
std::string piece_model_type(const Json& json);

}  // namespace helio::text
