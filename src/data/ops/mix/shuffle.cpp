// Puts the documents in a random order.
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

  std::unique_ptr<StageRun> start() const override { return std::make_unique<Run>(options_.seed); }

 private:
  class Run final : public StageRun {
   public:
    explicit Run(int64_t seed) : seed_(static_cast<uint64_t>(seed)) {}
    void survey(const Document&, std::string&) const override {}
    void settle(Survey&, StageContext&) override {}
    Verdict apply(Document&, Counters&) const override { return keep(); }
    bool reorders() const override { return true; }
    uint64_t rank(const Document& document) const override {
      return Rng::stream(seed_, "mix.shuffle", document.order).next();
    }

   private:
    uint64_t seed_;
  };

  Options options_;
};

}  // namespace

HELIO_OP(Shuffle)

}  // namespace helio::data
