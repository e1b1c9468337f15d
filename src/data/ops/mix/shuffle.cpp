// Puts the documents in a random order.
#include <algorithm>
#include <numeric>

#include "core/rng.h"
#include "data/op.h"

namespace helio::data {
namespace {

class Shuffle final : public Stage {
 public:
  struct Options {
    int64_t seed = 0;
    void describe(Fields& f) { f("seed", seed, "Another seed, another order."); }
  };

  static OpCard card() {
    return {.about = "Shuffles the documents; the same seed and documents give the same order."};
  }

  explicit Shuffle(const Options& options) : options_(options) {}

  std::vector<Verdict> run(std::vector<Document>& documents, StageContext&) const override {
    Rng rng = Rng::stream(static_cast<uint64_t>(options_.seed), "mix.shuffle");
    rng.shuffle(std::span<Document>(documents));
    return {};
  }

 private:
  Options options_;
};

}  // namespace

HELIO_OP(Shuffle)

}  // namespace helio::data
