// The tokenizer.json of an extended tokenizer.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/extend_tokenizer.h"

namespace helio::text {

class JsonTokenizer;

struct Additions {
  std::vector<NewToken> tokens = {};  // ids follow one another, from base.vocab_size() on
  std::vector<double> scores = {};    // of a Unigram model, by place in `tokens`
  std::vector<std::pair<std::string, std::string>> merges = {};  // by rank
};

// `json` with the additions; every other byte stays. Added tokens of `base` that the vocabulary
// lacks go into it under their ids, as HF would number them anew behind a larger vocabulary.
// Error{invalid} where ids of a Unigram vocabulary, which are places in a list, have a gap.
std::string extended_tokenizer_json(std::string_view json, const JsonTokenizer& base,
                                    const Additions& additions);

}  // namespace helio::text
