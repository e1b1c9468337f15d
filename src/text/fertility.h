// How finely tokenizers cut texts: tokens a word, a character, bytes a token; and what a vocabulary
// is made of.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace helio::text {

// Sums over documents. Words are what stands between white space: 어절 in Korean.
struct TextSize {
  int64_t documents = 0, bytes = 0, characters = 0, words = 0;
  void add(const TextSize& other);
};
TextSize size_of(std::string_view document);

struct TokenCount {
  int64_t tokens = 0;
  int64_t parts = 0;    // tokens that are no whole characters: bytes of a rare one
  int64_t unknown = 0;  // the unknown token, by which a text is lost
  void add(const TokenCount& other);
};

// By the letters of a token: Hangul before all, so that "한b" counts as Hangul.
enum class TokenScript : uint8_t {
  hangul,
  latin,
  cjk,
  other_letters,
  digits,
  symbols,
  parts,
  special,
  unused
};
inline constexpr size_t kTokenScripts = 9;
const char* name_of(TokenScript script);

class TokenCounter {
 public:
  TokenCounter(const Tokenizer& tokenizer, std::optional<TokenId> unknown);
  // Without what the post-processor adds (BOS ...): it says nothing about the text.
  TokenCount count(std::string_view document) const;
  // Ids of the vocabulary by script.
  const std::array<int64_t, kTokenScripts>& scripts() const { return scripts_; }

 private:
  const Tokenizer& tokenizer_;
  std::optional<TokenId> unknown_;
  std::vector<bool> is_part_ = {};  // by id
  std::array<int64_t, kTokenScripts> scripts_ = {};
};

// A page each of Korean, English and code, for a first look without a corpus.
struct Sample {
  const char* name;
  std::string_view text;
};
const std::array<Sample, 3>& fertility_samples();

}  // namespace helio::text
