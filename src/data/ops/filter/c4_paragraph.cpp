// mC4's rule of three long lines, as datatrove has it.
#include <algorithm>
#include <array>

#include "data/op.h"
#include "data/python_text.h"
#include "data/text_lines.h"

namespace helio::data {
namespace {

class C4Paragraph final : public Filter {
 public:
  struct Options {
    int64_t min_paragraphs = 3, min_paragraph_len = 200;

    void describe(Fields& f) {
      f("min_paragraphs", min_paragraphs, "So many lines must be long.", between(1, 1000));
      f("min_paragraph_len", min_paragraph_len, "Characters of a long line.", at_least(0));
    }
  };

  static OpCard card() {
    return {.about = "Drops documents without three lines of 200 characters.",
            .source = "Xue et al. 2021 (mC4) as in datatrove 0.10.1 C4ParagraphFilter"};
  }

  explicit C4Paragraph(const Options& options) : paragraphs_(size_t(options.min_paragraphs)) {
    checks_ = {{"< " + std::to_string(options.min_paragraphs) + " paragraphs", Check::Drops::below,
                double(options.min_paragraph_len)}};
  }

  // The figure is the length of the third longest line; -1 where there are fewer lines.
  void measure(const Document& document, Figures& figures) const override {
    std::vector<int64_t> lengths;
    for_each_line(document.text,
                  [&](std::string_view line) { lengths.push_back(char_count(line)); });
    if (lengths.size() < paragraphs_) {
      figures.next(-1);
      return;
    }
    const auto nth = lengths.begin() + ptrdiff_t(paragraphs_ - 1);
    std::nth_element(lengths.begin(), nth, lengths.end(), std::greater<>());
    figures.next(double(*nth));
  }

 private:
  size_t paragraphs_;
};

}  // namespace

HELIO_OP(C4Paragraph)

}  // namespace helio::data
