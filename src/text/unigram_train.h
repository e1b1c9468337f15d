// Training of Unigram language models (Kudo 2018, "Subword Regularization"): the pieces and scores
// that HF tokenizers' UnigramTrainer 0.23.3 gives for the same words in the order of their bytes on
// one thread. HF takes the words in the random order of a hash map, so its own runs differ in the
// scores' last digits, and in the order of pieces whose scores are equal.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/fields.h"
#include "core/monitor.h"
#include "text/tokenizer_roles.h"
#include "text/train/word_cutter.h"

namespace helio::text {

struct UnigramSettings {
  std::string unk = "<unk>";
  std::string initial_alphabet = {};
  int64_t max_piece_length = 16, seed_size = 1'000'000, sub_iterations = 2;
  double shrinking_factor = 0.75;
  void describe(Fields& f) {
    f("unk", unk, "Token for characters that no piece has; empty: none.");
    f("initial_alphabet", initial_alphabet,
      "Characters that get a piece besides those of the text.");
    f("max_piece_length", max_piece_length, "Longest piece in characters.", between(1, 1000));
    f("seed_size", seed_size, "Pieces to begin with: the substrings that cover most text.",
      between(1, 100'000'000));
    f("sub_iterations", sub_iterations, "EM steps between two prunings.", between(1, 100));
    f("shrinking_factor", shrinking_factor, "Share of the pieces that a pruning keeps.",
      between(0.01, 0.99));
  }
};

enum class UnigramNormalizer { none, nfc, nfkc };

struct UnigramTrainOptions {
  int64_t vocab_size = 8000;
  std::vector<std::string> special_tokens = {};  // first in the vocabulary, in this order
  UnigramNormalizer normalizer = UnigramNormalizer::none;
  UnigramSettings settings = {};
  int threads = 1;  // do not change the result
};

struct CountedWord {
  std::string text = {};  // valid UTF-8, not empty
  int64_t count = 0;
};

struct TrainedUnigram {
  std::vector<std::pair<std::string, double>> vocabulary = {};  // by id: piece, log probability
  std::optional<int64_t> unk_id = {};
  int64_t seeds = 0;
};

// Words in any order, each once. Memory: 8 bytes a character of the distinct words, and 60 to 100 a
// seed piece. Error{invalid} when the vocabulary is too small for the characters of the text.
TrainedUnigram train_unigram(std::vector<CountedWord> words, const UnigramTrainOptions& options,
                             Monitor& monitor, const StopRequest& stop);

// Words as HF trains on them: normalised, then cut by Metaspace.
WordCutter word_cutter(const UnigramTrainOptions& options);

// tokenizer.json as `Tokenizer.save` of HF tokenizers writes it: Metaspace pre-tokenizer and
// decoder.
std::string tokenizer_json(const TrainedUnigram& trained, const UnigramTrainOptions& options);
// With the files that stand beside it, as for BPE.
void write_tokenizer_folder(const std::filesystem::path& dir, const TrainedUnigram& trained,
                            const UnigramTrainOptions& options, const TokenizerRoles& roles);

}  // namespace helio::text
