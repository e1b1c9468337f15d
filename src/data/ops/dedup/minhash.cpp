// Keeps the first of documents that are nearly the same.
#include "data/minhash.h"

#include <cstring>

#include "data/duplicates.h"
#include "data/op.h"

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

  std::unique_ptr<StageRun> start() const override { return std::make_unique<Run>(*this); }

 private:
  class Run final : public StageRun {
   public:
    explicit Run(const MinHashDedup& op) : op_(op) {}

    void survey(const Document& document, std::string& out) const override {
      const std::vector<uint64_t> signature = op_.minhash_.signature(document.text);
      if (signature.empty()) return;
      put_record(out, document.order);
      out.append(reinterpret_cast<const char*>(signature.data()), signature.size() * 8);
    }
    void settle(Survey& survey, StageContext& context) override {
      const auto& o = op_.minhash_.options();
      const size_t slots = size_t(o.buckets * o.hashes_per_bucket);
      std::vector<uint64_t> orders;
      std::vector<std::vector<uint64_t>> signatures;
      survey.rewind();
      for (std::string_view bytes; survey.next(bytes);)
        for (; bytes.size() >= 8 * (slots + 1); bytes.remove_prefix(8 * (slots + 1))) {
          orders.emplace_back();
          std::memcpy(&orders.back(), bytes.data(), 8);
          signatures.emplace_back(slots);
          std::memcpy(signatures.back().data(), bytes.data() + 8, 8 * slots);
        }
      const std::vector<size_t> first = first_of_cluster(signatures, o, context.threads);
      for (size_t i = 0; i < first.size(); ++i) {
        if (first[i] == i) continue;
        const double similarity = estimated_similarity(signatures[first[i]], signatures[i]);
        if (similarity >= op_.min_similarity_) found_.add(orders[i], orders[first[i]], similarity);
      }
      found_.finish(context.counters);
    }
    std::vector<uint64_t> clusters() const override { return found_.clusters(); }
    Verdict apply(Document& document, Counters&) const override {
      return found_.tell(document, "near_duplicate");
    }

   private:
    const MinHashDedup& op_;
    Duplicates found_ = {};
  };

  double min_similarity_;
  MinHash minhash_;
};

}  // namespace

HELIO_OP(MinHashDedup)

}  // namespace helio::data
