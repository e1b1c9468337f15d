// Keeps one of documents that are nearly the same.
#include <map>

#include "core/error.h"
#include "data/dedup/near_duplicates.h"
#include "data/op.h"

namespace helio::data {
namespace {

// What each project's scheme computes with.
const std::map<std::string, MinHashOptions, std::less<>> kPresets = {
    {"datatrove", {}},
    {"dataverse",
     {.n_grams = 5,
      .buckets = 25,
      .hashes_per_bucket = 10,
      .seed = 42,
      .hash = ShingleHash::sha1,
      .draws = DrawOrder::pairs,
      .form = WordForm::word_characters}},
    {"text-dedup",
     {.n_grams = 5,
      .buckets = 24,
      .hashes_per_bucket = 10,
      .seed = 42,
      .hash = ShingleHash::sha1,
      .bits = HashBits::bits_32,
      .form = WordForm::word_characters}},
    {"data-juicer",
     {.n_grams = 5,
      .buckets = 25,
      .hashes_per_bucket = 10,
      .seed = 42,
      .hash = ShingleHash::sha1,
      .bits = HashBits::bits_32,
      .draws = DrawOrder::pairs,
      .form = WordForm::word_characters}}};

class MinHashDedup final : public Stage {
 public:
  struct Options {
    std::string preset = "datatrove", unit = "word", hash = "preset", verify = "none";
    int64_t n_grams = 0, buckets = 0, hashes_per_bucket = 0, seed = -1, bits = 0;
    int64_t permutations = 256;
    double threshold = 0, min_similarity = 0, min_jaccard = 0.7;
    SurvivorRule rule = {};
    std::string index = {}, write_index = {};

    void describe(Fields& f) {
      f("preset", preset, "Whose numbers hold where an option says nothing else.",
        one_of({"datatrove", "dataverse", "text-dedup", "data-juicer"}));
      f("unit", unit,
        "What a shingle is made of: words (for Korean 어절), syllables (characters; white space "
        "does "
        "not count) or jamo (parts of syllables).",
        one_of({"word", "syllable", "jamo"}));
      f("n_grams", n_grams,
        "Units in a shingle; shorter documents are never dropped. 0: the preset's words, 10 "
        "syllables or 20 jamo.",
        between(0, 64));
      f("buckets", buckets,
        "Bands of the signature: one equal band makes two documents candidates. 0: the preset's.",
        between(0, 256));
      f("hashes_per_bucket", hashes_per_bucket, "Hashes in a band. 0: the preset's.",
        between(0, 64));
      f("threshold", threshold,
        "Chooses bands and their hashes so that pairs of this similarity divide best; 0 leaves "
        "them "
        "as they are.",
        between(0, 1));
      f("permutations", permutations, "Hashes in all that 'threshold' may use.", between(1, 1024));
      f("seed", seed, "Of the permutations. -1: the preset's.", between(-1, 4294967295.0));
      f("hash", hash, "Of shingles.", one_of({"preset", "xxhash", "sha1"}));
      f("bits", bits, "Of hashes: 32, 64, or 0 for the preset's.", between(0, 64));
      f("verify", verify,
        "jaccard: two documents are linked only when their shingles are as alike as min_jaccard "
        "says; none takes an equal band for proof, as the originals do.",
        one_of({"none", "jaccard"}));
      f("min_jaccard", min_jaccard, "True Jaccard similarity that verify: jaccard asks for.",
        between(0, 1));
      f("min_similarity", min_similarity,
        "A duplicate whose estimated similarity to the one that stays is smaller is kept after "
        "all.",
        between(0, 1));
      rule.describe(f);
      f.input("index", index,
              "Folder of an earlier run's index: what is like a document of it is dropped as "
              "in_index.");
      f("write_index", write_index,
        "Folder to write the index to: of this run's documents and of those in 'index'.");
    }
  };

  static OpCard card() {
    return {.about =
                "Drops near-duplicates by MinHash and locality-sensitive hashing; of a cluster one "
                "stays, by a stated rule. For Korean a word is a whole 어절.",
            .source =
                "datatrove 0.10.1 MinHash (xxhash or SHA-1, 64 or 32 bits): equal signatures and "
                "clusters; its survivor depends on union order, ours does not"};
  }

  explicit MinHashDedup(const Options& options) : options_(read(options)) { options_.rule.check(); }

  std::unique_ptr<StageRun> start() const override { return std::make_unique<Run>(options_); }

 private:
  static NearOptions read(const Options& options) {
    MinHashOptions m = kPresets.at(options.preset);
    if (options.unit != "word") {
      m.unit = options.unit == "syllable" ? TextUnit::syllable : TextUnit::jamo;
      m.form = WordForm::simple;
      m.n_grams = m.unit == TextUnit::syllable ? 10 : 20;
    }
    if (options.threshold > 0) {
      const Bands best = best_bands(options.threshold, options.permutations);
      m.buckets = best.bands, m.hashes_per_bucket = best.rows;
    }
    if (options.n_grams > 0) m.n_grams = options.n_grams;
    if (options.buckets > 0) m.buckets = options.buckets;
    if (options.hashes_per_bucket > 0) m.hashes_per_bucket = options.hashes_per_bucket;
    if (options.seed >= 0) m.seed = options.seed;
    if (options.hash != "preset")
      m.hash = options.hash == "sha1" ? ShingleHash::sha1 : ShingleHash::xxhash;
    if (options.bits != 0 && options.bits != 32 && options.bits != 64)
      throw Error(ErrorKind::invalid, "'bits' is " + std::to_string(options.bits))
          .with_hint("32 or 64, or 0 for the preset's");
    if (options.bits != 0) m.bits = options.bits == 32 ? HashBits::bits_32 : HashBits::bits_64;
    return {.minhash = m,
            .rule = options.rule,
            .min_similarity = options.min_similarity,
            .verify = options.verify == "jaccard" ? Verify::jaccard : Verify::none,
            .min_jaccard = options.min_jaccard,
            .index = options.index,
            .write_index = options.write_index};
  }

  class Run final : public StageRun {
   public:
    explicit Run(const NearOptions& options) : near_(options) {}
    void survey(const Document& document, std::string& out) const override {
      near_.survey(document, out);
    }
    void settle(Survey& survey, StageContext& context) override { near_.settle(survey, context); }
    std::vector<uint64_t> clusters() const override { return near_.survivors(); }
    Verdict apply(Document& document, Counters&) const override { return near_.tell(document); }

   private:
    NearDuplicates near_;
  };

  NearOptions options_;
};

}  // namespace

HELIO_OP(MinHashDedup)

}  // namespace helio::data
