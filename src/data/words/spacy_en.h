// The tokens of spaCy 3.8's spacy.blank("en"), which datatrove takes for the words of English.
//
// White space cuts a text into chunks. A chunk that is an exception ("don't") has tokens of its
// own. Otherwise prefixes and suffixes are split off it one by one, what is left is an exception, a
// URL or is cut at infixes. Last, sequences of tokens that spell an exception are joined to it.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

namespace helio::data {

struct SpacyToken {
  std::string_view text;
  enum class Kind : uint8_t { word, space } kind = Kind::word;
};

class SpacyEnglish {
 public:
  SpacyEnglish();
  ~SpacyEnglish();
  // All tokens, white space ones too; views into `text`. Any thread may call it.
  void tokenize(std::string_view text, std::vector<SpacyToken>& tokens) const;

  // The one for the whole program: its tables are made once.
  static const SpacyEnglish& shared();

 private:
  struct Rules;
  std::unique_ptr<const Rules> rules_;
};

// The tokens that begin a sentence, but for the first of all, as spaCy's "sentencizer" finds them:
// one ends at . ! ? and the like, the next begins with the first token after it that is no
// punctuation.
std::vector<size_t> spacy_sentence_starts(const std::vector<SpacyToken>& tokens);

// Whether the whole of a chunk without white space looks like a URL or host to spaCy (its
// url_match).
bool is_spacy_url(std::u32string_view chunk);

}  // namespace helio::data
