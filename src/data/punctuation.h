// The sets of characters by which datatrove tells words from symbols and finds sentence ends.
#pragma once

namespace helio::data {

constexpr bool is_plain_hangul(char32_t c) { return c >= 0xAC00 && c <= 0xD7A3; }

// Turned into a space when texts are compared (datatrove's PUNCTUATION).
bool is_stripped_punctuation(char32_t c);
// A word of these alone is no word (datatrove's PUNCTUATION_SET: the above and sentence ends).
bool is_symbol(char32_t c);
// Ends a sentence or line, in any script (datatrove's TERMINAL_PUNCTUATION).
bool is_terminal_punctuation(char32_t c);
// The smaller set of spaCy's sentencizer.
bool ends_spacy_sentence(char32_t c);

}  // namespace helio::data
