// Where sentences end, as datatrove splits them.
//
//   spacy-en  its way for English: spaCy's tokens and sentencizer
//   terminal  its way for languages it has no tokenizer for: after a run of sentence ends of any
//             script, or of line ends; not after a capital letter's period
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "core/fields.h"

namespace helio::data {

// The offsets at which `text` is cut into sentences: one fewer than there are sentences.
using SentenceCuts = std::function<void(std::string_view text, std::vector<size_t>& cuts)>;
SentenceCuts make_sentences(std::string_view name);
inline Rule sentences_rule() { return one_of({"spacy-en", "terminal"}); }

}  // namespace helio::data
