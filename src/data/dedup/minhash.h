// MinHash signatures of texts, equal to datatrove 0.10's byte for byte (xxhash and SHA-1, 64 and 32
// bits), and of other schemes by their numbers. The parameters are numpy's RandomState(seed).
// https://en.wikipedia.org/wiki/MinHash
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "data/dedup/minhash_kernels.h"
#include "data/dedup/simplify.h"

namespace helio::data {

enum class ShingleHash { xxhash, sha1 };
enum class HashBits { bits_32, bits_64 };
// In which order numpy's generator gives the parameters: all multipliers and then all increments
// (datatrove, text-dedup), or one of each in turn (data-juicer, Dataverse, datasketch).
enum class DrawOrder { blocks, pairs };
enum class WordForm {
  simple,           // datatrove's simplify_text
  word_characters,  // lower-cased runs of \w: Dataverse, text-dedup
  raw,              // between white space, nothing changed
};

struct MinHashOptions {
  int64_t n_grams = 5;  // units in a shingle
  int64_t buckets = 14;
  int64_t hashes_per_bucket = 8;
  int64_t seed = 1;
  int64_t min_units = 0;  // shorter texts have no signature; never less than n_grams
  ShingleHash hash = ShingleHash::xxhash;
  HashBits bits = HashBits::bits_64;
  uint64_t mask = ~uint64_t(0);  // of the values kept: 2^32-1 for schemes that keep 32 bits
  DrawOrder draws = DrawOrder::blocks;
  TextUnit unit = TextUnit::word;
  WordForm form = WordForm::simple;
};

// Memory that is used for one text after the other; one for each thread.
struct MinHashScratch {
  SimpleWords words = SimpleWords();
  std::vector<uint64_t> hashes = {};  // of all shingles of the text last read, in its order
};

class MinHash {
 public:
  explicit MinHash(const MinHashOptions& options, MinHashKernel kernel = best_minhash_kernel());

  size_t slots() const { return slots_; }  // buckets * hashes_per_bucket
  MinHashScratch scratch() const { return {.words = SimpleWords(options_.unit)}; }
  // The hashes of the text's shingles go to `scratch`; none when it is too short.
  void shingle(std::string_view text, MinHashScratch& scratch) const;
  // The minima over hashes of shingles; empty when there are none.
  std::vector<uint64_t> signature(std::span<const uint64_t> hashes) const;
  std::vector<uint64_t> signature(std::string_view text, MinHashScratch& scratch) const;
  std::vector<uint64_t> signature(std::string_view text) const;

  std::span<const uint64_t> multipliers() const { return {a_.data(), slots_}; }
  std::span<const uint64_t> increments() const { return {b_.data(), slots_}; }
  const MinHashOptions& options() const { return options_; }

 private:
  MinHashOptions options_;
  MinHashKernel kernel_;
  size_t slots_ = 0;
  std::vector<uint64_t> a_ = {}, b_ = {};  // filled up to a multiple of kMinHashLanes
};

// Share of equal slots: an estimate of the Jaccard similarity of the two texts' shingles.
double estimated_similarity(std::span<const uint64_t> a, std::span<const uint64_t> b);
// Of two sorted sequences without repeats.
double jaccard(std::span<const uint64_t> a, std::span<const uint64_t> b);
// The hashes sorted and each once.
std::vector<uint64_t> as_set(std::span<const uint64_t> hashes);

struct Bands {
  int64_t bands = 0, rows = 0;
};
// The split of at most `permutations` into bands of rows that loses least below and above the
// threshold, weighed alike (datasketch's optimal_param).
Bands best_bands(double threshold, int64_t permutations);
// 1 - (1 - s^rows)^bands: how likely two texts of similarity s share a band.
double chance_of_candidate(double similarity, const Bands& bands);

}  // namespace helio::data
