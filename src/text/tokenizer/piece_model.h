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
#include "text/tokenizer/model_lists.h"
#include "text/tokenizer/token_buffer.h"

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

// Pieces of valid UTF-8, none of them empty.
struct PieceList {
  const std::string_view* pieces = nullptr;
  size_t count = 0;
  // A text that most of them are parts of: they can be read up to its end.
  std::string_view text = {};
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

  // Appends the ids of the pieces, one piece after the other.
  virtual void encode(const PieceList& list, Scratch& scratch, TokenBuffer& out) const = 0;
  void encode(std::string_view piece, Scratch& scratch, std::vector<TokenId>& out) const {
    TokenBuffer ids;
    encode({&piece, 1, piece}, scratch, ids);
    out.insert(out.end(), ids.data(), ids.data() + ids.size());
  }
  // The ids of one piece with their places; slower.
  virtual void encode_spans(std::string_view piece, Scratch& scratch,
                            std::vector<TokenSpan>& out) const = 0;

  virtual std::optional<TokenId> id_of(std::string_view token) const = 0;
  virtual std::optional<std::string_view> token(TokenId id) const = 0;  // nothing when unused
  virtual size_t tokens() const = 0;                                    // of the vocabulary
  virtual TokenId largest_id() const = 0;
};

// Whether a BPE model may read raw bytes, because every piece it gets would be written in byte
// letters.
enum class Alphabet { characters, bytes };

// "model" of a tokenizer.json: BPE, Unigram, WordPiece or WordLevel. Error{invalid} names what is
// wrong or not supported. `lists`: those of a BPE model when they are not in `json`.
std::unique_ptr<PieceModel> read_piece_model(const Json& json, Alphabet alphabet,
                                             const ModelLists* lists = nullptr);
// The kind, which files older than the member "type" say by what else they have.
std::string piece_model_type(const Json& json);

}  // namespace helio::text
