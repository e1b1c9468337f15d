// Keeps the first of documents that are nearly the same.
#include "data/minhash.h"

#include "data/duplicates.h"
#include "data/op.h"
#include "data/parallel.h"

namespace helio::data {
namespace {

class MinHashDedup final : public Stage {
 public:
  struct Options {
    int64_t n_grams = 5, buckets = 14, hashes_per_bucket = 8, seed = 1;
    double min_similarity = 0;

    void describe(Fields& f) {
      f("n_grams", n_grams, "Words in a run; shorter documents are never dropped.", between(1, 64));
      f("buckets", buckets,
        "Bands of the signature: one equal band makes two documents candidates.", between(1, 256));
      f("hashes_per_bucket", hashes_per_bucket, "Hashes in a band.", between(1, 64));
      f("seed", seed, "Of the permutations.", between(0, 4294967295.0));
      f("min_similarity", min_similarity,
        "A duplicate whose estimated similarity to the one that stays is smaller is kept after "
        "all; "
        "0 takes equal bands for proof, as datatrove does.",
        between(0, 1));
    }
  };

  static OpCard card() {
    return {.about =
                "Drops near-duplicates by MinHash and locality-sensitive hashing; of a cluster "
                "the first by manifest order stays. For Korean a word is a whole 어절.",
            .source =
                "datatrove 0.10.1 MinHash (xxhash, 64 bits): equal signatures and clusters; "
                "its survivor depends on union order, ours is the first"};
  }

  explicit MinHashDedup(const Options& options)
      : min_similarity_(options.min_similarity),
        minhash_({.n_grams = options.n_grams,
                  .buckets = options.buckets,
                  .hashes_per_bucket = options.hashes_per_bucket,
                  .seed = options.seed}) {}

  std::vector<Verdict> run(std::vector<Document>& documents, StageContext& context) const override {
    std::vector<std::vector<uint64_t>> signatures(documents.size());
    parallel_slices(documents.size(), context.threads, 16, [&](size_t begin, size_t end, int) {
      for (size_t i = begin; i < end; ++i) {
        context.stop.check();
        signatures[i] = minhash_.signature(documents[i].text);
      }
    });
    std::vector<size_t> first = first_of_cluster(signatures, minhash_.options(), context.threads);
    const auto similarity = [&](size_t a, size_t b) {
      return estimated_similarity(signatures[a], signatures[b]);
    };
    for (size_t i = 0; i < first.size(); ++i)
      if (first[i] != i && similarity(first[i], i) < min_similarity_) first[i] = i;
    return keep_first(documents, first, "dedup.minhash", "near_duplicate", similarity, context);
  }

 private:
  double min_similarity_;
  MinHash minhash_;
};

}  // namespace

HELIO_OP(MinHashDedup)

}  // namespace helio::data
