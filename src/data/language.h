// Which language a text is in, from its scripts and, for Latin ones, its commonest little words.
//
// No model and nothing to download: Korean is told by Hangul, Japanese by kana, English and six
// neighbours by how much of the text is their function words. It is sure about running text and
// says "und" for tables, code and word lists. It is not a classifier of two hundred languages.
#pragma once

#include <string>
#include <string_view>

namespace helio::data {

struct LanguageOptions {
  double min_hangul = 0.4;       // share of words with Hangul from which a text is Korean
  double max_hangul = 0.1;       // share above which it is no other language either: "mixed"
  double min_stop_words = 0.08;  // share of words from which a Latin text has a language
};

struct Language {
  std::string code = "und";  // ISO 639-1; "mixed"; "und"
  double score = 0;          // the share that decided
  double hangul = 0;         // words with Hangul / words with letters
};

Language identify_language(std::string_view text, const LanguageOptions& options = {});

}  // namespace helio::data
