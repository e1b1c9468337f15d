// Writes byte-level BPE as tiktoken's file of ranks.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/json.h"
#include "text/formats/ranks.h"

namespace helio::text {

// Tokens, pattern and special tokens of a tokenizer.json. Error{invalid} says what tiktoken has no
// word for: it knows one pattern, no normalisation, and merges by the order of ids alone.
RankedVocabulary ranks_of(const OrderedJson& document);

// "BASE64 RANK" lines.
std::string write_ranks(const RankedVocabulary& vocabulary);
// {"pat_str", "special_tokens"}: what tiktoken.Encoding takes beside the ranks.
OrderedJson encoding_json(const RankedVocabulary& vocabulary);

}  // namespace helio::text
