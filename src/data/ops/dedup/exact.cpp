// Keeps one of documents with the same text, or from the same address.
#include "core/hash.h"
#include "data/dedup/clusters.h"
#include "data/external_sort.h"
#include "data/op.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

// The text in NFC with every run of white space as one space.
std::string folded(std::string_view text) {
  const std::string normal = text::normalize(text, text::NormalForm::nfc);
  std::string key;
  key.reserve(normal.size());
  text::for_each_word(normal, [&](std::string_view word) {
    if (!key.empty()) key += ' ';
    key += word;
  });
  return key;
}

class Exact final : public Stage {
 public:
  struct Options {
    std::string by = "text";
    SurvivorRule rule = {};

    void describe(Fields& f) {
      f("by", by,
        "What must be equal: the text but for white space and normal form, each byte of it, or the "
        "address it came from (documents without one stay).",
        one_of({"text", "bytes", "url"}));
      rule.describe(f);
    }
  };

  static OpCard card() {
    return {.about =
                "Drops documents whose text, but for white space and normal form, another one has; "
                "one of them stays, by a stated rule.",
            .source =
                "Dataverse's exact___column and datatrove's ExactDedup, whose survivors depend on "
                "the run"};
  }

  explicit Exact(const Options& options) : options_(options) { options_.rule.check(); }

  std::unique_ptr<StageRun> start() const override { return std::make_unique<Run>(options_); }

 private:
  // Of equal keys the one that stays comes first.
  struct Seen {
    Hash128 key;
    double rank = 0;
    uint64_t order = 0;
    auto operator<=>(const Seen&) const = default;
  };

  class Run final : public StageRun {
   public:
    explicit Run(const Options& options) : options_(options) {}

    void survey(const Document& document, std::string& out) const override {
      if (options_.by == "url" && document.url.empty()) return;
      const Hash128 key = options_.by == "url"     ? xxh3_128(document.url)
                          : options_.by == "bytes" ? xxh3_128(document.text)
                                                   : xxh3_128(folded(document.text));
      put_record(out, Seen{key, options_.rule.rank(document), document.order});
    }
    void settle(Survey& survey, StageContext& context) override {
      clusters_ = Clusters(survey.documents(), context);
      ExternalSorter<Seen> sorter({.scratch = context.scratch,
                                   .memory = clusters_.memory_left(context),
                                   .threads = context.threads});
      survey.for_each<Seen>([&](const Seen& seen) { sorter.push(seen); });
      clusters_.take_first();  // each by itself
      bool any = false;
      Seen first;
      for (Seen seen; sorter.next(seen);) {
        if (!any || seen.key != first.key) {
          first = seen;
          any = true;
        } else {
          clusters_.set(first.order, first.order);
          clusters_.set(seen.order, first.order);
        }
      }
      clusters_.finish(context.counters);
    }
    std::vector<uint64_t> clusters() const override { return clusters_.survivors(); }
    Verdict apply(Document& document, Counters&) const override {
      return clusters_.tell(document, "exact_duplicate", [](uint64_t) { return 1.0; });
    }

   private:
    const Options& options_;
    Clusters clusters_ = {};
  };

  Options options_;
};

}  // namespace

HELIO_OP(Exact)

}  // namespace helio::data
