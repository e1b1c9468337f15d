// What a word is. Every filter that counts words names its way of cutting them, because thresholds
// do not carry over from one to another.
//
//   whitespace  runs without white space: Python's str.split()
//   eojeol      the same with symbols cut off both ends: 어절 without quotes and full stops
//   uax29       Unicode 15 word boundaries (UAX #29) without those of white space alone
//   spacy-en    spaCy 3.8's tokenizer for English, which datatrove uses
//   mecab       morphemes by MeCab with mecab-ko-dic 2.1.1 (tools/get_mecab_dic fetches it)
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/fields.h"

namespace helio::data {

class Words {
 public:
  virtual ~Words() = default;
  // All words in order, as views into `text`. Any number of threads may call it.
  virtual void split(std::string_view text, std::vector<std::string_view>& words) const = 0;
  virtual std::string_view name() const = 0;
};

// Throws Error{invalid} for another name, Error{not_found} when `mecab` finds no dictionary.
std::shared_ptr<const Words> make_words(std::string_view name);

// The names, for an options struct: f("words", words, kWordsHelp, words_rule()).
Rule words_rule();
inline constexpr const char* kWordsHelp =
    "How words are cut: whitespace, eojeol (어절), uax29, spacy-en or mecab.";

// The words of `text`, kept for the thread's next call: filters in a row that cut the same text in
// the same way cut it once. The result is valid until this thread's next call.
const std::vector<std::string_view>& words_of(const Words& words, std::string_view text);

}  // namespace helio::data
