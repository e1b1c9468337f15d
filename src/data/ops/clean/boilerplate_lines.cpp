// Removes lines that many pages of a lot share: what the site says, not what the page says.
#include <unordered_map>

#include "data/op.h"
#include "data/parallel.h"
#include "data/text_lines.h"

namespace helio::data {
namespace {

class BoilerplateLines final : public Stage {
 public:
  struct Options {
    int64_t min_documents = 10;
    double min_share = 0.005;
    int64_t max_chars = 300;

    void describe(Fields& f) {
      f("min_documents", min_documents, "A line in fewer documents of its lot stays.", at_least(2));
      f("min_share", min_share, "A line in a smaller share of its lot's documents stays.",
        between(0, 1));
      f("max_chars", max_chars, "Longer lines stay; dedup.lines is for those.", at_least(1));
    }
  };

  static OpCard card() {
    return {.about =
                "Removes the lines that many documents of one lot share (list items stay), and "
                "drops documents that were nothing else."};
  }

  explicit BoilerplateLines(const Options& options) : options_(options) {}

  std::vector<Verdict> run(std::vector<Document>& documents, StageContext& context) const override {
    struct Seen {
      int64_t documents = 0;
      size_t last = ~size_t(0);
    };
    std::map<std::string, int64_t> lot_sizes;
    std::map<std::string, std::unordered_map<uint64_t, Seen>> lots;
    for (size_t i = 0; i < documents.size(); ++i) {
      ++lot_sizes[documents[i].lot];
      auto& lines = lots[documents[i].lot];
      for_each_line(documents[i].text, [&](std::string_view line) {
        const uint64_t key = candidate_key(line);
        if (key == 0) return;
        Seen& seen = lines[key];
        if (seen.last != i) ++seen.documents, seen.last = i;
      });
    }

    std::vector<Verdict> verdicts(documents.size());
    std::vector<int64_t> removed(documents.size(), 0);
    parallel_slices(documents.size(), context.threads, 64, [&](size_t begin, size_t end, int) {
      for (size_t i = begin; i < end; ++i) {
        Document& document = documents[i];
        const auto& lines = lots.at(document.lot);
        const double size = double(lot_sizes.at(document.lot));
        const auto is_boilerplate = [&](std::string_view line) {
          const uint64_t key = candidate_key(line);
          if (key == 0) return false;
          const int64_t count = lines.at(key).documents;
          const bool common =
              count >= options_.min_documents && double(count) >= options_.min_share * size;
          removed[i] += common;
          return common;
        };
        std::string rest = without_lines(document.text, is_boilerplate);
        if (rest.empty()) verdicts[i] = drop("only_boilerplate", double(removed[i]));
        else if (removed[i] > 0) document.text = std::move(rest);
      }
    });
    for (const int64_t count : removed) context.counters["boilerplate_lines.removed"] += count;
    return verdicts;
  }

 private:
  uint64_t candidate_key(std::string_view line) const {
    if (line.size() > size_t(options_.max_chars) * 4) return 0;
    if (text::count_code_points(line) > options_.max_chars) return 0;
    return is_list_item(line) ? 0 : line_key(line);
  }

  Options options_;
};

}  // namespace

HELIO_OP(BoilerplateLines)

}  // namespace helio::data
