// Writes SentencePiece's model files.
#pragma once

#include <string>

#include "core/json.h"
#include "text/formats/sentencepiece_file.h"
#include "text/tokenizer.h"

namespace helio::text {

// The bytes of a model that sentencepiece loads.
std::string write_sentencepiece(const SentencePieceFile& file, const SpecialIds& roles);

// A tokenizer.json (or a document of sentencepiece_document) as a model: Unigram, and BPE on
// characters. Merges become scores: the first that makes a piece counts. Error{invalid} says what
// SentencePiece has no word for.
SentencePieceFile sentencepiece_of(const OrderedJson& document);

}  // namespace helio::text
