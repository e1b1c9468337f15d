// Training of byte-level BPE: the merges and ids that HF tokenizers' BpeTrainer gives.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/monitor.h"
#include "text/count_words_of.h"
#include "text/tokenizer_roles.h"

namespace helio::text {

// How text is cut into words before bytes are merged in them.
enum class Pattern { gpt2, llama3, qwen2, regex };
enum class TextForm { as_written, nfc };
enum class FirstTokens { all_bytes, seen_bytes };  // HF: initial_alphabet

struct BpeTrainOptions {
  int64_t vocab_size = 32000;
  int64_t min_frequency = 2;
  // First in the vocabulary, in this order.
  std::vector<std::string> special_tokens = {"<|endoftext|>", "<|pad|>"};
  Pattern pattern = Pattern::llama3;
  std::string split_regex = {};  // with Pattern::regex; Error{invalid} when it is none
  TextForm form = TextForm::as_written;
  FirstTokens first_tokens = FirstTokens::all_bytes;
  // The most frequent bytes that become tokens, of equals the smaller letter; the others are left
  // out of the words. 0: no limit.
  int64_t limit_alphabet = 0;
  // Tokens are shorter, in bytes (pairs of two bytes always may be merged). 0: no limit.
  int64_t max_token_length = 0;
  // Only so many distinct words are trained on, the most frequent; of words that are equally
  // frequent all or none. 0: no limit. HF has none.
  int64_t max_words = 0;
  int threads = 1;
};

WordCutter word_cutter(const BpeTrainOptions& options);

struct TrainedBpe {
  std::vector<std::string> tokens = {};                          // by id, in byte letters
  std::vector<std::pair<std::string, std::string>> merges = {};  // by rank
  int64_t words = 0;           // distinct ones that were trained on
  int64_t words_left_out = 0;  // by max_words
  int64_t least_count = 1;     // of a word trained on
};

// The most frequent pair is merged, of equals the one with the smaller left id, then right id,
// until the vocabulary is full or no pair occurs min_frequency times.
TrainedBpe train_bpe(CountedWords words, const BpeTrainOptions& options, Monitor& monitor,
                     const StopRequest& stop);

// tokenizer.json as `Tokenizer.save` of HF tokenizers writes it, byte for byte.
std::string tokenizer_json(const TrainedBpe& trained, const BpeTrainOptions& options);

// With the files that stand beside it.
void write_tokenizer_folder(const std::filesystem::path& dir, const TrainedBpe& trained,
                            const BpeTrainOptions& options, const TokenizerRoles& roles);

}  // namespace helio::text
