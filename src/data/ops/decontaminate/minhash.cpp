// Drops what is like an item of an evaluation benchmark.
#include "data/dedup/minhash.h"

#include <algorithm>
#include <unordered_map>

#include "core/error.h"
#include "core/hash.h"
#include "data/dedup/benchmarks.h"
#include "data/op.h"

namespace helio::data {
namespace {

class DecontaminateMinHash final : public Map {
 public:
  struct Options {
    std::vector<std::string> benchmarks = {}, fields = {};
    int64_t n_grams = 20, min_words = 20, permutations = 250, seed = 42;
    double threshold = 0.05, min_similarity = 0;

    void describe(Fields& f) {
      f.input(
          "benchmarks", benchmarks,
          "Files (.jsonl, .jsonl.gz, .jsonl.zst) or folders of them that must not be trained on.");
      f("fields", fields,
        "Fields of their rows that make up an item ('choices.text' goes down); none: every text of "
        "a "
        "row.");
      f("n_grams", n_grams, "Words in a shingle.", between(1, 64));
      f("min_words", min_words,
        "Shorter documents and items are let pass; the paper has 10, 20 or 30 by benchmark.",
        at_least(1));
      f("threshold", threshold, "Jaccard similarity at which the bands divide best.",
        between(0.01, 1));
      f("permutations", permutations, "Hashes that the bands may use.", between(1, 1024));
      f("seed", seed, "Of the permutations.", between(0, 4294967295.0));
      f("min_similarity", min_similarity,
        "A document less like the item, as estimated, is let pass; 0 takes an equal band for "
        "proof.",
        between(0, 1));
    }
  };

  static OpCard card() {
    return {.about =
                "Drops documents that are like an item of an evaluation benchmark by MinHash; says "
                "which.",
            .source =
                "the leak test of the Open Ko-LLM Leaderboard (Park et al. 2024): 20-grams, "
                "threshold 0.05, 250 permutations of Dataverse's MinHash, with Korean words"};
  }

  explicit DecontaminateMinHash(const Options& options)
      : min_similarity_(options.min_similarity), minhash_(scheme(options)) {
    if (options.benchmarks.empty())
      throw Error(ErrorKind::invalid, "decontaminate.minhash is told no benchmark")
          .with_hint("add benchmarks: [FILE.jsonl.gz, FOLDER]");
    for (const BenchmarkItem& item :
         read_benchmarks(options.benchmarks, {.query = {}, .text = options.fields})) {
      std::vector<uint64_t> signature = minhash_.signature(item.text);
      if (signature.empty()) continue;
      const auto number = static_cast<uint32_t>(items_.size());
      items_.push_back({item.name, std::move(signature)});
      for_each_band(items_.back().signature, [&](uint64_t key) { bands_[key].push_back(number); });
    }
  }

  Verdict apply(Document& document, Counters& counters) const override {
    const std::vector<uint64_t> signature = minhash_.signature(document.text);
    std::vector<uint32_t> like;
    for_each_band(signature, [&](uint64_t key) {
      if (const auto found = bands_.find(key); found != bands_.end())
        like.insert(like.end(), found->second.begin(), found->second.end());
    });
    std::sort(like.begin(), like.end());
    like.erase(std::unique(like.begin(), like.end()), like.end());
    double most = -1;
    for (const uint32_t number : like) {
      const double similarity = estimated_similarity(signature, items_[number].signature);
      if (similarity < min_similarity_) continue;
      ++counters["contaminated." + items_[number].name];
      most = std::max(most, similarity);
    }
    return most < 0 ? keep() : drop("contaminated", most);
  }

 private:
  struct Item {
    std::string name;
    std::vector<uint64_t> signature;
  };

  static MinHashOptions scheme(const Options& options) {
    const Bands bands = best_bands(options.threshold, options.permutations);
    return {.n_grams = options.n_grams,
            .buckets = bands.bands,
            .hashes_per_bucket = bands.rows,
            .seed = options.seed,
            .min_units = options.min_words,
            .hash = ShingleHash::sha1,
            .draws = DrawOrder::pairs,
            .form = WordForm::word_characters};
  }

  template <class Visit>
  void for_each_band(const std::vector<uint64_t>& signature, Visit&& visit) const {
    const auto rows = static_cast<size_t>(minhash_.options().hashes_per_bucket);
    for (size_t at = 0, band = 0; at < signature.size(); at += rows, ++band)
      visit(xxh3_64({reinterpret_cast<const char*>(&signature[at]), rows * 8}, band));
  }

  double min_similarity_;
  MinHash minhash_;
  std::vector<Item> items_ = {};
  std::unordered_map<uint64_t, std::vector<uint32_t>> bands_ = {};
};

}  // namespace

HELIO_OP(DecontaminateMinHash)

}  // namespace helio::data
