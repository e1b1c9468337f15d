// Keeps a random part of the documents.
#include <algorithm>
#include <vector>

#include "core/error.h"
#include "core/hash.h"
#include "data/op.h"

namespace helio::data {
namespace {

class Sample final : public Stage {
 public:
  struct Options {
    double fraction = 0.1;
    int64_t documents = 0;
    int64_t seed = 42;

    void describe(Fields& f) {
      f("fraction", fraction, "Share of the documents kept, each by its own draw.", between(0, 1));
      f("documents", documents,
        "Exactly so many instead (all, when there are fewer); 0: by fraction.", at_least(0));
      f("seed", seed, "Another seed, another choice.");
    }
  };

  static OpCard card() {
    return {
        .about =
            "Keeps a random part of the documents, drawn by a hash of their ids, so that the "
            "order and other documents change nothing about a draw.",
        .source =
            "Dataverse utils___sampling___random, whose choice depends on Spark's partitions and "
            "whose exact count breaks the next block"};
  }

  explicit Sample(const Options& options) : options_(options) {}

  std::unique_ptr<StageRun> start() const override { return std::make_unique<Run>(options_); }

 private:
  struct Draw {
    uint64_t place, order;
    auto operator<=>(const Draw&) const = default;
  };

  class Run final : public StageRun {
   public:
    explicit Run(const Options& options) : options_(options) {}

    void survey(const Document& document, std::string& out) const override {
      if (options_.documents > 0) put_record(out, draw(document));
    }

    // The `documents` smallest draws, in a heap whose top is the largest of them.
    void settle(Survey& survey, StageContext&) override {
      if (options_.documents == 0) return;
      std::vector<Draw> least;
      const auto most = static_cast<size_t>(options_.documents);
      survey.for_each<Draw>([&](const Draw& each) {
        if (least.size() == most) {
          if (!(each < least.front())) return;
          std::pop_heap(least.begin(), least.end());
          least.pop_back();
        }
        least.push_back(each);
        std::push_heap(least.begin(), least.end());
      });
      if (!least.empty()) last_ = least.front();
    }

    Verdict apply(Document& document, Counters&) const override {
      const Draw mine = draw(document);
      const double share = double(mine.place >> 11) * 0x1p-53;
      const bool kept = options_.documents > 0 ? mine <= last_ : share < options_.fraction;
      return kept ? keep() : drop("not_sampled", share);
    }

   private:
    Draw draw(const Document& document) const {
      return {xxh64(document.id, static_cast<uint64_t>(options_.seed)), document.order};
    }

    Options options_;
    Draw last_ = {};
  };

  Options options_;
};

}  // namespace

HELIO_OP(Sample)

}  // namespace helio::data
