// Keeps the first copy of every longer line of the corpus.
#include <unordered_map>

#include "data/op.h"
#include "data/parallel.h"
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

  std::vector<Verdict> run(std::vector<Document>& documents, StageContext& context) const override {
    // First by the order of the documents, whatever the number of threads.
    std::unordered_map<uint64_t, size_t> first;
    for (size_t i = 0; i < documents.size(); ++i)
      for_each_line(documents[i].text, [&](std::string_view line) {
        if (const uint64_t key = candidate_key(line)) first.emplace(key, i);
      });

    std::vector<Verdict> verdicts(documents.size());
    std::vector<int64_t> removed(documents.size(), 0);
    parallel_slices(documents.size(), context.threads, 64, [&](size_t begin, size_t end, int) {
      for (size_t i = begin; i < end; ++i) {
        Document& document = documents[i];
        const std::string rest = without_lines(document.text, [&](std::string_view line) {
          const uint64_t key = candidate_key(line);
          const bool earlier = key != 0 && first.at(key) < i;
          removed[i] += earlier;
          return earlier;
        });
        if (removed[i] == 0) continue;
        const double share = 1.0 - double(rest.size()) / double(document.text.size());
        if (rest.empty() || share > options_.max_removed)
          verdicts[i] = drop("repeated_lines", share);
        else document.text = rest;
      }
    });
    for (const int64_t count : removed) context.counters["repeated_lines.removed"] += count;
    return verdicts;
  }

 private:
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
