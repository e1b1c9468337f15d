// Removes long pieces of text that occur elsewhere in the corpus.
#include "data/dedup/repeated_substrings.h"
#include "data/op.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

class Substrings final : public Stage {
 public:
  struct Options {
    int64_t length = 100;
    std::string remove = "later";
    double max_removed = 1.0;

    void describe(Fields& f) {
      f("length", length,
        "Bytes that must be the same; a Hangul syllable has 3. The original's 100 are 50 tokens of "
        "2 bytes.",
        between(8, 1e6));
      f("remove", remove,
        "later: the first copy by manifest order stays; all: every copy goes, as the original "
        "does.",
        one_of({"later", "all"}));
      f("max_removed", max_removed,
        "A document that loses a larger share of its bytes is dropped as a whole.", between(0, 1));
    }
  };

  static OpCard card() {
    return {
        .about =
            "Removes pieces of at least so many bytes that occur elsewhere in the corpus, exactly "
            "and without a suffix array's memory.",
        .source =
            "Lee et al. 2022, deduplicate-text-datasets: the same positions; ranges are "
            "narrowed to whole characters"};
  }

  explicit Substrings(const Options& options) : options_(options) {}

  std::unique_ptr<StageRun> start() const override { return std::make_unique<Run>(options_); }

 private:
  class Run final : public StageRun {
   public:
    explicit Run(const Options& options)
        : max_removed_(options.max_removed),
          found_(static_cast<uint64_t>(options.length),
                 options.remove == "all" ? Copies::all : Copies::later) {}

    void survey(const Document& document, std::string& out) const override {
      RepeatedSubstrings::survey(document, out);
    }
    void settle(Survey& survey, StageContext& context) override { found_.settle(survey, context); }
    Verdict apply(Document& document, Counters& counters) const override {
      std::string rest;
      const uint64_t gone = found_.cut(document, rest);
      if (gone == 0) return keep();
      counters["repeated_substrings.bytes"] += static_cast<int64_t>(gone);
      const double share = double(gone) / double(document.text.size());
      if (text::trim(rest).empty() || share > max_removed_)
        return drop("repeated_substrings", share);
      document.text = rest;
      return keep();
    }

   private:
    double max_removed_;
    RepeatedSubstrings found_;
  };

  Options options_;
};

}  // namespace

HELIO_OP(Substrings)

}  // namespace helio::data
