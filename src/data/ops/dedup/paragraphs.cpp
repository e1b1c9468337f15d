// Keeps the first copy of every longer paragraph of the corpus.
#include "data/dedup/repeated_pieces.h"
#include "data/op.h"
#include "data/text_lines.h"

namespace helio::data {
namespace {

// Calls visit(paragraph) for each run of lines without a blank one.
template <class Visit>
void for_each_paragraph(std::string_view text, Visit&& visit) {
  const char* begin = nullptr;
  const char* end = nullptr;
  const auto close = [&] {
    if (begin != nullptr) visit(std::string_view(begin, size_t(end - begin)));
    begin = nullptr;
  };
  for_each_line(text, [&](std::string_view line) {
    if (text::trim(line).empty()) return close();
    if (begin == nullptr) begin = line.data();
    end = line.data() + line.size();
  });
  close();
}

class Paragraphs final : public Stage {
 public:
  struct Options {
    int64_t min_chars = 60;
    double max_removed = 1.0;

    void describe(Fields& f) {
      f("min_chars", min_chars, "Shorter paragraphs are left alone.", at_least(1));
      f("max_removed", max_removed,
        "A document that loses a larger share of its bytes is dropped as a whole.", between(0, 1));
    }
  };

  static OpCard card() {
    return {
        .about =
            "Removes paragraphs (lines between blank ones) that stood before in this document or "
            "an earlier one; white space makes no difference.",
        .source = "dolma's paragraph deduplication, exact instead of by a Bloom filter"};
  }

  explicit Paragraphs(const Options& options) : options_(options) {}

  std::unique_ptr<StageRun> start() const override { return std::make_unique<Run>(options_); }

 private:
  class Run final : public StageRun {
   public:
    explicit Run(const Options& options) : options_(options) {}

    void survey(const Document& document, std::string& out) const override {
      std::vector<Hash128> keys;
      for_each_paragraph(document.text, [&](std::string_view paragraph) {
        if (counts(paragraph)) keys.push_back(key_of(paragraph));
      });
      RepeatedPieces::survey(document, keys, out);
    }
    void settle(Survey& survey, StageContext& context) override { pieces_.settle(survey, context); }
    Verdict apply(Document& document, Counters& counters) const override {
      int64_t removed = 0;
      size_t at = 0;
      std::string rest;
      for_each_paragraph(document.text, [&](std::string_view paragraph) {
        if (counts(paragraph) && pieces_.goes(document, at++)) {
          ++removed;
          return;
        }
        if (!rest.empty()) rest += "\n\n";
        rest += paragraph;
      });
      if (removed == 0) return keep();
      counters["repeated_paragraphs.removed"] += removed;
      const double share = 1.0 - double(rest.size()) / double(document.text.size());
      if (rest.empty() || share > options_.max_removed) return drop("repeated_paragraphs", share);
      document.text = rest;
      return keep();
    }

   private:
    bool counts(std::string_view paragraph) const {
      return paragraph.size() >= size_t(options_.min_chars) &&
             text::count_code_points(paragraph) >= options_.min_chars;
    }
    static Hash128 key_of(std::string_view paragraph) {
      std::string folded;
      text::for_each_word(paragraph, [&](std::string_view word) { (folded += word) += ' '; });
      return xxh3_128(folded);
    }

    Options options_;
    RepeatedPieces pieces_{Repeats::of_all};
  };

  Options options_;
};

}  // namespace

HELIO_OP(Paragraphs)

}  // namespace helio::data
