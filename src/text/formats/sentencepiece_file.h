// SentencePiece's model files ("tokenizer.model", "spiece.model"), as sentencepiece 0.2.3 reads
// them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace helio::text {

struct SentencePiece {
  enum class Type : uint8_t { normal = 1, unknown, control, user_defined, unused, byte };
  std::string text = {};
  float score = 0;
  Type type = Type::normal;
};

struct SentencePieceFile {
  enum class Algorithm : uint8_t { unigram = 1, bpe, word, character };
  struct Spec {  // NormalizerSpec
    std::string name = {}, charsmap = {};
    bool add_dummy_prefix = true, remove_extra_whitespaces = true, escape_whitespaces = true;
  };

  std::vector<SentencePiece> pieces = {};  // by id
  Algorithm algorithm = Algorithm::unigram;
  bool byte_fallback = false, whitespace_is_suffix = false;
  // Ids by role; -1: none.
  int64_t unk = 0, bos = 1, eos = 2, pad = -1;
  Spec normalizer = {}, denormalizer = {};

  int64_t unknown_id() const;  // of the piece of that type
};

// Reads a model. Error{invalid} says what is wrong with it, or which of its options are not
// supported. Safe on hostile files.
SentencePieceFile read_sentencepiece(std::string_view bytes);
// Whether a file could be a model: it begins with a piece.
bool looks_like_sentencepiece(std::string_view bytes);

const char* name_of(SentencePieceFile::Algorithm algorithm);

}  // namespace helio::text
