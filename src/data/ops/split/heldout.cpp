// Sets a share of the documents aside for evaluation.
#include "core/hash.h"
#include "data/op.h"

namespace helio::data {
namespace {

class Heldout final : public Map {
 public:
  struct Options {
    double share = 0.01;
    std::string group = "id";
    int64_t seed = 0;

    void describe(Fields& f) {
      f("share", share, "Share of groups that is held out.", between(0, 1));
      f("group", group,
        "What stays together: a document, its duplicates, or documents of one path in their lots "
        "(a page and its translation).",
        one_of({"id", "cluster", "path"}));
      f("seed", seed, "Another seed, another choice.");
    }
  };

  static OpCard card() {
    return {.about =
                "Puts a share of the documents in the 'heldout' split by a hash of their id, "
                "cluster or path: adding documents moves none of the others."};
  }

  explicit Heldout(Options options) : options_(std::move(options)) {}

  Verdict apply(Document& document, Counters&) const override {
    const std::string& key = options_.group == "path" ? document.path
                             : options_.group == "cluster" && !document.cluster_id.empty()
                                 ? document.cluster_id
                                 : document.id;
    const double place = double(xxh64(key, static_cast<uint64_t>(options_.seed)) >> 11) * 0x1p-53;
    document.split = place < options_.share ? "heldout" : "train";
    return keep();
  }

 private:
  Options options_;
};

}  // namespace

HELIO_OP(Heldout)

}  // namespace helio::data
