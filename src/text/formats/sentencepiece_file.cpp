#include "text/formats/sentencepiece_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_set>

#include "core/error.h"
#include "text/formats/protobuf.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/tokenizer/vocabulary.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

using Type = SentencePiece::Type;
using Field = ProtobufReader::Field;

constexpr size_t kLongestPiece = 8000;  // bytes; sentencepiece refuses longer ones too

SentencePiece read_piece(std::string_view message, size_t id) {
  const std::string of = "piece " + std::to_string(id);
  SentencePiece piece;
  ProtobufReader reader(message, "a piece");
  for (Field field; reader.next(field);) {
    if (field.number == 1) {
      piece.text = proto_bytes(field, "piece");
    } else if (field.number == 2) {
      piece.score = proto_float(field, "score");
    } else if (field.number == 3) {
      const int64_t type = proto_int(field, "type");
      if (type < 1 || type > 6)
        throw malformed(of + " has a type unknown here: " + std::to_string(type));
      piece.type = static_cast<Type>(type);
    }
  }
  if (piece.text.empty()) throw malformed(of + " is empty");
  if (piece.text.size() >= kLongestPiece)
    throw malformed(of + " has " + std::to_string(piece.text.size()) + " bytes, more than " +
                    std::to_string(kLongestPiece));
  if (!is_valid_utf8(piece.text)) throw malformed(of + " is no UTF-8");
  if (piece.text.find('\0') != std::string::npos) throw malformed(of + " has a zero byte");
  if (!std::isfinite(piece.score)) throw malformed(of + " has a score that is no number");
  return piece;
}

void read_trainer(std::string_view message, SentencePieceFile& file) {
  ProtobufReader reader(message, "the trainer's options");
  for (Field field; reader.next(field);) switch (field.number) {
      case 3: {
        const int64_t type = proto_int(field, "model_type");
        if (type < 1 || type > 4)
          throw unsupported("SentencePiece's model_type", std::to_string(type),
                            "unigram (1), bpe (2), word (3), char (4)");
        file.algorithm = static_cast<SentencePieceFile::Algorithm>(type);
        break;
      }
      case 24:
        file.whitespace_is_suffix = proto_bool(field, "treat_whitespace_as_suffix");
        break;
      case 35:
        file.byte_fallback = proto_bool(field, "byte_fallback");
        break;
      case 40:
        file.unk = proto_int(field, "unk_id");
        break;
      case 41:
        file.bos = proto_int(field, "bos_id");
        break;
      case 42:
        file.eos = proto_int(field, "eos_id");
        break;
      case 43:
        file.pad = proto_int(field, "pad_id");
        break;
      default:
        break;
    }
}

void read_spec(std::string_view message, SentencePieceFile::Spec& spec) {
  ProtobufReader reader(message, "the normaliser's options");
  for (Field field; reader.next(field);) switch (field.number) {
      case 1:
        spec.name = proto_bytes(field, "name");
        break;
      case 2:
        spec.charsmap = proto_bytes(field, "precompiled_charsmap");
        break;
      case 3:
        spec.add_dummy_prefix = proto_bool(field, "add_dummy_prefix");
        break;
      case 4:
        spec.remove_extra_whitespaces = proto_bool(field, "remove_extra_whitespaces");
        break;
      case 5:
        spec.escape_whitespaces = proto_bool(field, "escape_whitespaces");
        break;
      default:
        break;
    }
}

void check_pieces(const SentencePieceFile& file) {
  std::unordered_set<std::string_view> seen, reserved;
  std::array<bool, 256> bytes = {};
  size_t unknown = 0;
  for (size_t id = 0; id < file.pieces.size(); ++id) {
    const auto& piece = file.pieces[id];
    const std::string of = "piece " + std::to_string(id) + " '" + piece.text + "'";
    if (!seen.insert(piece.text).second) throw malformed(of + " is there twice");
    if (piece.type == Type::unused)
      throw malformed(of + " is marked as unused, which is not supported")
          .with_hint("save the model with its whole vocabulary");
    unknown += piece.type == Type::unknown;
    if (piece.type != Type::byte) continue;
    const auto byte = byte_of_token(piece.text);
    if (!byte || !file.byte_fallback)
      throw malformed(of + (byte ? " is a byte, but byte_fallback is off" : " names no byte"));
    bytes[*byte] = true;
  }
  if (unknown != 1)
    throw malformed("the model has " + std::to_string(unknown) + " unknown pieces, not one");
  if (file.byte_fallback && std::find(bytes.begin(), bytes.end(), false) != bytes.end())
    throw malformed("byte_fallback is on, but not every byte is a piece");
}

}  // namespace

int64_t SentencePieceFile::unknown_id() const {
  const auto found = std::find_if(pieces.begin(), pieces.end(),
                                  [](const auto& piece) { return piece.type == Type::unknown; });
  return found - pieces.begin();
}

SentencePieceFile read_sentencepiece(std::string_view bytes) {
  SentencePieceFile file;
  ProtobufReader reader(bytes, "the SentencePiece model");
  for (Field field; reader.next(field);) {
    if (field.number == 1) {
      if (file.pieces.size() > static_cast<size_t>(kLargestId))
        throw malformed("the model has more than " + std::to_string(kLargestId) + " pieces");
      file.pieces.push_back(read_piece(proto_bytes(field, "pieces"), file.pieces.size()));
    } else if (field.number == 2) {
      read_trainer(proto_bytes(field, "trainer_spec"), file);
    } else if (field.number == 3) {
      read_spec(proto_bytes(field, "normalizer_spec"), file.normalizer);
    } else if (field.number == 5) {
      read_spec(proto_bytes(field, "denormalizer_spec"), file.denormalizer);
    }
  }
  if (file.pieces.empty()) throw malformed("the SentencePiece model has no pieces");
  check_pieces(file);
  if (file.whitespace_is_suffix)
    throw unsupported("SentencePiece's option", "treat_whitespace_as_suffix",
                      "models that put spaces before words");
  if (!file.denormalizer.charsmap.empty())
    throw unsupported("SentencePiece's option", "denormalizer_spec", "models without it");
  return file;
}

bool looks_like_sentencepiece(std::string_view bytes) {
  // Field 1 is a piece, and its first field the text.
  if (bytes.size() < 4 || bytes[0] != '\n') return false;
  try {
    ProtobufReader reader(bytes, "");
    Field field;
    if (!reader.next(field) || field.wire != ProtobufReader::Wire::bytes) return false;
    read_piece(field.bytes, 0);
    return true;
  } catch (const Error&) {
    return false;
  }
}

const char* name_of(SentencePieceFile::Algorithm algorithm) {
  switch (algorithm) {
    case SentencePieceFile::Algorithm::unigram:
      return "unigram";
    case SentencePieceFile::Algorithm::bpe:
      return "bpe";
    case SentencePieceFile::Algorithm::word:
      return "word";
    case SentencePieceFile::Algorithm::character:
      return "char";
  }
  return "";
}

}  // namespace helio::text
