// Adding vocabulary to the tokenizer of a model that exists: every old id and every old merge
// stays.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/monitor.h"
#include "text/count_words_of.h"
#include "text/tokenizer.h"
#include "text/train/token_filter.h"

namespace helio::text {

struct ExtendOptions {
  int64_t add = 0;  // tokens
  // Pairs, and characters that the old vocabulary lacks, must occur as often.
  int64_t min_frequency = 2;
  int64_t max_token_length = 0;  // characters; 0: no limit
  TokenLetters letters = TokenLetters::any;
  int threads = 1;
};

struct NewToken {
  TokenId id = 0;
  std::string token = {};            // as it is written in the vocabulary
  std::vector<TokenId> pieces = {};  // old tokens it stands for
  int64_t count = 0;                 // in the corpus, when it was made
};

struct ExtendedTokenizer {
  int64_t base_vocab_size = 0;  // the largest old id + 1: where new ids begin
  std::vector<NewToken> tokens = {};
  int64_t merges = 0;
  int64_t tokens_before = 0, tokens_after = 0;  // of the corpus
  std::string json = {};                        // the new tokenizer.json
};

// Continues the training of a BPE tokenizer on words of new text. They are encoded by the old
// merges; then pairs of their tokens are merged, most frequent first, and the new merges get ranks
// behind all old ones. A text in which no new token comes up has the ids it had. Characters that
// the vocabulary lacks (and byte fallback would spell in bytes, or the unknown token replace)
// become tokens by the same rule: where a character is at least as frequent as the next pair.
//
// A Unigram vocabulary gets the same tokens as new pieces. A piece's score is the logarithm of its
// share of the corpus' tokens, but at least the sum of its two parts' scores (plus 0.001), so that
// it is used.
//
// tokenizer.json keeps every byte, but for what is added to the vocabulary and the merges. Added
// tokens that HF numbers by the size of the vocabulary are given their ids there.
class TokenizerExtender {
 public:
  // Error{invalid} when the tokenizer is neither BPE nor Unigram, or marks the inside or the end of
  // words in its tokens.
  explicit TokenizerExtender(const std::filesystem::path& file_or_dir);
  // The same from memory; `source` names it in errors.
  TokenizerExtender(std::string json, const std::string& source);
  ~TokenizerExtender();

  const Tokenizer& base() const;
  const WordCutter& cutter() const;
  ExtendedTokenizer extend(const CountedWords& words, const ExtendOptions& options,
                           Monitor& monitor, const StopRequest& stop) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// extension.json: {"base_vocab_size", "new_tokens": [{"id", "token", "pieces"}]}.
std::string extension_json(const ExtendedTokenizer& extended);

// Writes tokenizer.json and extension.json to `dir` and copies what else belongs to a tokenizer
// from the folder `base` (nothing when `base` is a file). vocab.json and merges.txt are written
// anew. Returns the files that were left out because they hold the old vocabulary
// (tokenizer.model).
std::vector<std::string> write_extended_folder(const std::filesystem::path& dir,
                                               const std::filesystem::path& base,
                                               const ExtendedTokenizer& extended);

}  // namespace helio::text
