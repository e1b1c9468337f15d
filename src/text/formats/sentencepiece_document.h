// SentencePiece's models as tokenizer.json documents.
#pragma once

#include "core/json.h"
#include "text/formats/sentencepiece_file.h"
#include "text/formats/tokenizer_file.h"

namespace helio::text {

// A document whose ids are those of sentencepiece's own library on text without special tokens.
// Control and unknown pieces are special tokens: written out in a text they are found, and what
// stands between them is cut as a text of its own. No BOS or EOS is added.
TokenizerFile sentencepiece_document(const SentencePieceFile& file);

// The same with parts of HF tokenizers alone. Error{invalid} for models that cannot be said so.
OrderedJson standard_sentencepiece(const OrderedJson& document);

}  // namespace helio::text
