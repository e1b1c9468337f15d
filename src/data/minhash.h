// MinHash signatures and clusters of near-duplicates, equal to datatrove 0.10's (xxhash, 64 bits).
// https://en.wikipedia.org/wiki/MinHash ; the parameters are numpy's RandomState(seed).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace helio::data {

struct MinHashOptions {
  int64_t n_grams = 5;
  int64_t buckets = 14;
  int64_t hashes_per_bucket = 8;
  int64_t seed = 1;
};

class MinHash {
 public:
  explicit MinHash(const MinHashOptions& options);

  // buckets * hashes_per_bucket minima over the runs of n_grams words of the simplified text;
  // empty when it has fewer words than that.
  std::vector<uint64_t> signature(std::string_view text) const;

  const std::vector<uint64_t>& multipliers() const { return a_; }
  const std::vector<uint64_t>& increments() const { return b_; }
  const MinHashOptions& options() const { return options_; }

 private:
  MinHashOptions options_;
  std::vector<uint64_t> a_ = {}, b_ = {};
};

// For each signature the index of the first one it is linked to through equal buckets (its own when
// none): the components' smallest members. Empty signatures stand alone. The result does not depend
// on the number of threads.
std::vector<size_t> first_of_cluster(const std::vector<std::vector<uint64_t>>& signatures,
                                     const MinHashOptions& options, int threads);

// Share of equal slots: an estimate of the Jaccard similarity of the two texts' word runs.
double estimated_similarity(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b);

}  // namespace helio::data
