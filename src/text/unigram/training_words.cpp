#include "text/unigram/training_words.h"

#include <algorithm>

#include "core/error.h"
#include "text/utf8.h"

namespace helio::text::unigram {

TrainingWords::TrainingWords(std::vector<CountedWord> words) {
  // UTF-8 sorts as the characters do.
  std::sort(words.begin(), words.end(),
            [](const CountedWord& a, const CountedWord& b) { return a.text < b.text; });
  std::vector<bool> seen(0x110000, false);
  size_t characters = 0;
  for (const auto& word : words)
    for (size_t at = 0; at < word.text.size(); ++characters) {
      const auto point = decode_utf8(word.text, at);
      HELIO_CHECK(point.status == Utf8::valid, "words are UTF-8");
      seen[point.value] = true;
      at += point.size;
    }
  if (characters + words.size() > UINT32_MAX)
    throw Error(ErrorKind::failed, "the distinct words have more than 4 billion characters")
        .with_hint("train on a sample");
  std::vector<Symbol> symbol_of(0x110000, kEnd);
  alphabet_.push_back(0);
  for (char32_t code = 0; code < 0x110000; ++code) {
    if (!seen[code]) continue;
    characters_.push_back(code);
    if (code == 0) continue;
    symbol_of[code] = static_cast<Symbol>(alphabet_.size());
    alphabet_.push_back(code);
  }
  row_.reserve(characters + words.size());
  begins_.reserve(words.size() + 1);
  counts_.reserve(words.size());
  for (auto& word : words) {
    begins_.push_back(static_cast<uint32_t>(row_.size()));
    counts_.push_back(word.count);
    for (size_t at = 0; at < word.text.size();) {
      const auto point = decode_utf8(word.text, at);
      row_.push_back(symbol_of[point.value]);
      at += point.size;
    }
    row_.push_back(kEnd);
    word.text = std::string();
  }
  begins_.push_back(static_cast<uint32_t>(row_.size()));
}

std::string TrainingWords::text(std::span<const Symbol> symbols) const {
  std::string text;
  for (const Symbol symbol : symbols) append_utf8(text, alphabet_[symbol]);
  return text;
}

}  // namespace helio::text::unigram
