// Training of byte-level BPE: the merges and ids that HF tokenizers' BpeTrainer gives.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/json.h"
#include "core/monitor.h"

namespace helio::text {

enum class Pattern { gpt2, llama3 };

struct BpeTrainOptions {
  int64_t vocab_size = 32000;
  int64_t min_frequency = 2;
  // First in the vocabulary, in this order.
  std::vector<std::string> special_tokens = {"<|endoftext|>", "<|pad|>"};
  Pattern pattern = Pattern::llama3;
};

// How often each word (piece that the pattern cuts) occurs. Memory is bounded by the distinct
// words.
class WordCounts {
 public:
  explicit WordCounts(Pattern pattern) : pattern_(pattern) {}
  // Invalid UTF-8 is read as U+FFFD.
  void add(std::string_view text);
  void add(const WordCounts& other);
  size_t size() const { return counts_.size(); }

 private:
  friend struct BpeTraining;
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  Pattern pattern_;
  std::unordered_map<std::string, int64_t, Hash, std::equal_to<>> counts_ = {};
  std::vector<std::string_view> pieces_ = {};
};

// Counts the words of files (see LineBatches) with several threads. Of JSONL rows the text `field`
// is taken; with `split`, only of rows whose "split" is that.
struct WordSource {
  std::vector<std::filesystem::path> files = {};
  std::string field = "text", split = {};
  int64_t threads = 0;
};
struct CountedWords {
  WordCounts words;
  int64_t documents = 0, bytes = 0;  // of text
};
CountedWords count_words_of(const WordSource& source, Pattern pattern, Monitor& monitor,
                            const StopRequest& stop);

struct TrainedBpe {
  std::vector<std::string> tokens = {};                          // by id, in byte letters
  std::vector<std::pair<std::string, std::string>> merges = {};  // by rank
};

// The most frequent pair is merged, of equals the one with the smaller left id, then right id,
// until the vocabulary is full or no pair occurs min_frequency times.
TrainedBpe train_bpe(const WordCounts& words, const BpeTrainOptions& options, Monitor& monitor,
                     const StopRequest& stop);

// tokenizer.json as `Tokenizer.save` of HF tokenizers writes it, byte for byte.
std::string tokenizer_json(const TrainedBpe& trained, const BpeTrainOptions& options);

// The files that stand beside it, so that transformers loads the folder: tokenizer_config.json,
// special_tokens_map.json, chat_template.jinja. `eos` is also bos; `pad` may be empty.
struct TokenizerRoles {
  std::string eos = "<|endoftext|>", pad = "<|pad|>";
  int64_t model_max_length = 2048;
};
void write_tokenizer_folder(const std::filesystem::path& dir, const TrainedBpe& trained,
                            const BpeTrainOptions& options, const TokenizerRoles& roles);

}  // namespace helio::text
