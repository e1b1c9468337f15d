// Keeps the first copy of every longer line of the corpus.
#include "data/dedup/repeated_pieces.h"
#include "data/op.h"
#include "data/text_lines.h"

namespace helio::data {
namespace {

class Lines final : public Stage {
 public:
  struct Options {
    int64_t min_chars = 60;
    double max_removed = 1.0;
    std::string repeats = "of_other_documents";

    void describe(Fields& f) {
      f("min_chars", min_chars, "Shorter lines are left alone: they repeat for good reason.",
        at_least(1));
      f("max_removed", max_removed,
        "A document that loses a larger share of its characters is dropped as a whole.",
        between(0, 1));
      f("repeats", repeats,
        "Whether a line goes only when an earlier document has it, or also when it stands earlier "
        "in "
        "its own.",
        one_of({"of_other_documents", "of_all"}));
    }
  };

  static OpCard card() {
    return {.about =
                "Removes lines that an earlier document holds already (untranslated paragraphs "
                "of a translation, copied passages), keeping the first by manifest order; list "
                "items stay.",
            .source =
                "the idea of CCNet's paragraph deduplication (Wenzek et al. 2020) and "
                "Dataverse's common_crawl___exact_line, whose survivors depend on the run"};
  }

  explicit Lines(const Options& options) : options_(options) {}

  std::unique_ptr<StageRun> start() const override { return std::make_unique<Run>(options_); }

 private:
  class Run final : public StageRun {
   public:
    explicit Run(const Options& options)
        : options_(options),
          pieces_(options.repeats == "of_all" ? Repeats::of_all : Repeats::of_other_documents) {}

    void survey(const Document& document, std::string& out) const override {
      std::vector<Hash128> keys;
      for_each_line(document.text, [&](std::string_view line) {
        if (counts(line)) keys.push_back(xxh3_128(text::trim(line)));
      });
      RepeatedPieces::survey(document, keys, out);
    }
    void settle(Survey& survey, StageContext& context) override { pieces_.settle(survey, context); }
    Verdict apply(Document& document, Counters& counters) const override {
      int64_t removed = 0;
      size_t at = 0;
      const std::string rest = without_lines(document.text, [&](std::string_view line) {
        const bool goes = counts(line) && pieces_.goes(document, at++);
        removed += goes;
        return goes;
      });
      if (removed == 0) return keep();
      counters["repeated_lines.removed"] += removed;
      const double share = 1.0 - double(rest.size()) / double(document.text.size());
      if (rest.empty() || share > options_.max_removed) return drop("repeated_lines", share);
      document.text = rest;
      return keep();
    }

   private:
    bool counts(std::string_view line) const {
      const std::string_view trimmed = text::trim(line);
      const auto least = size_t(options_.min_chars);  // a character has one byte to four
      if (trimmed.size() < least) return false;
      if (trimmed.size() < 4 * least && text::count_code_points(trimmed) < options_.min_chars)
        return false;
      return !is_list_item(trimmed);
    }

    Options options_;
    RepeatedPieces pieces_;
  };

  Options options_;
};

}  // namespace

HELIO_OP(Lines)

}  // namespace helio::data
