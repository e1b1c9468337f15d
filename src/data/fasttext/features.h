// What fastText makes of a text: its words, their character n-grams and its word n-grams, each a
// 32-bit hash. Reading a model and training one go through the same code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/fasttext/format.h"

namespace helio::data::fasttext {

inline constexpr uint32_t kHashStart = 2166136261u;
// FNV-1a; bytes count as signed, which is part of the format.
constexpr uint32_t hash_byte(uint32_t hash, char byte) {
  return (hash ^ uint32_t(int32_t(static_cast<signed char>(byte)))) * 16777619u;
}
constexpr uint32_t hash_of(std::string_view text) {
  uint32_t hash = kHashStart;
  for (const char byte : text) hash = hash_byte(hash, byte);
  return hash;
}

// x % n for a fixed n by two multiplications (Lemire, Kaser, Kurz 2019: exact for 32-bit x and n).
class Modulus {
 public:
  explicit Modulus(uint32_t n) : n_(n), inverse_(n == 0 ? 0 : UINT64_MAX / n + 1) {}
  uint32_t of(uint32_t x) const {
    __extension__ using Wide = unsigned __int128;
    return n_ == 1 ? 0 : uint32_t((Wide(inverse_ * x) * n_) >> 64);
  }
  uint32_t of_wide(uint64_t x) const { return uint32_t(x % n_); }

 private:
  uint32_t n_;
  uint64_t inverse_;
};

// Where fastText's reader ends a word. (It knows no Unicode white space.)
constexpr bool is_separator(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0'; }

// Calls token(word) for each word. False when the text itself holds the end-of-line word, at which
// fastText stops reading; nothing after it counts.
template <class Token>
bool for_each_token(std::string_view text, Token&& token) {
  for (size_t at = 0; at < text.size();) {
    while (at < text.size() && is_separator(text[at])) ++at;
    const size_t begin = at;
    while (at < text.size() && !is_separator(text[at])) ++at;
    if (begin == at) break;
    const std::string_view word = text.substr(begin, at - begin);
    if (word == kEndOfLine) return false;
    token(word);
  }
  return true;
}

// Calls ngram(hash) for the character n-grams of a word between '<' and '>', shortest first from
// each character on. `padded` is scratch.
template <class Ngram>
void for_each_char_ngram(std::string_view word, int32_t minn, int32_t maxn, std::string& padded,
                         Ngram&& ngram) {
  padded.assign(1, '<').append(word).push_back('>');
  const char* const bytes = padded.data();
  const size_t size = padded.size();
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  for (size_t i = 0; i < size; ++i) {
    if (continues(bytes[i])) continue;
    uint32_t hash = kHashStart;
    size_t j = i;
    for (int32_t n = 1; n <= maxn && j < size; ++n) {
      hash = hash_byte(hash, bytes[j++]);
      while (j < size && continues(bytes[j])) hash = hash_byte(hash, bytes[j++]);
      // A lone '<' or '>' is no n-gram.
      if (n >= minn && !(n == 1 && (i == 0 || j == size))) ngram(hash);
    }
  }
}

// Calls ngram(hash) for each run of 2..n words, of the words' hashes. The hash is 64 bits wide and
// sign-extends its parts: part of the format.
template <class Ngram>
void for_each_word_ngram(const std::vector<uint32_t>& words, int32_t n, Ngram&& ngram) {
  for (size_t i = 0; i < words.size(); ++i) {
    uint64_t hash = uint64_t(int64_t(int32_t(words[i])));
    for (size_t j = i + 1; j < words.size() && j < i + size_t(n); ++j) {
      hash = hash * 116049371u + uint64_t(int64_t(int32_t(words[j])));
      ngram(hash);
    }
  }
}

}  // namespace helio::data::fasttext
