// Keeps the first copy of every longer line of the corpus.
#include <algorithm>
#include <unordered_map>

#include "data/op.h"
#include "data/text_lines.h"

namespace helio::data {
namespace {

class Lines final : public Stage {
 public:
  struct Options {
    int64_t min_chars = 60;
    double max_removed = 1.0;

    void describe(Fields& f) {
      f("min_chars", min_chars, "Shorter lines are left alone: they repeat for good reason.",
        at_least(1));
      f("max_removed", max_removed,
        "A document that loses a larger share of its characters is dropped as a whole.",
        between(0, 1));
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

  std::unique_ptr<StageRun> start() const override { return std::make_unique<Run>(*this); }

 private:
  struct Line {
    uint64_t key, order;
  };

  class Run final : public StageRun {
   public:
    explicit Run(const Lines& op) : op_(op) {}

    void survey(const Document& document, std::string& out) const override {
      for_each_line(document.text, [&](std::string_view line) {
        if (const uint64_t key = op_.candidate_key(line))
          put_record(out, Line{key, document.order});
      });
    }
    void settle(Survey& survey, StageContext&) override {
      survey.for_each<Line>([&](const Line& line) {
        const auto [at, is_new] = first_.emplace(line.key, line.order);
        if (!is_new) at->second = std::min(at->second, line.order);
      });
    }
    Verdict apply(Document& document, Counters& counters) const override {
      int64_t removed = 0;
      const std::string rest = without_lines(document.text, [&](std::string_view line) {
        const uint64_t key = op_.candidate_key(line);
        const bool earlier = key != 0 && first_.at(key) < document.order;
        removed += earlier;
        return earlier;
      });
      if (removed == 0) return keep();
      counters["repeated_lines.removed"] += removed;
      const double share = 1.0 - double(rest.size()) / double(document.text.size());
      if (rest.empty() || share > op_.options_.max_removed) return drop("repeated_lines", share);
      document.text = rest;
      return keep();
    }

   private:
    const Lines& op_;
    std::unordered_map<uint64_t, uint64_t> first_ = {};
  };

  uint64_t candidate_key(std::string_view line) const {
    const std::string_view trimmed = text::trim(line);
    if (trimmed.size() < size_t(options_.min_chars)) return 0;  // bytes are at least characters
    if (text::count_code_points(trimmed) < options_.min_chars) return 0;
    return is_list_item(trimmed) ? 0 : line_key(trimmed);
  }

  Options options_;
};

}  // namespace

HELIO_OP(Lines)

}  // namespace helio::data
