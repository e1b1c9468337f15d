// Drops documents that are too short or too long.
#include "data/op.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

class Length final : public Filter {
 public:
  struct Options {
    int64_t min_words = 1, max_words = 0, min_chars = 0, max_chars = 0;

    void describe(Fields& f) {
      f("min_words", min_words, "Fewest words (어절).", at_least(0));
      f("max_words", max_words, "Most words; 0 sets no limit.", at_least(0));
      f("min_chars", min_chars, "Fewest characters.", at_least(0));
      f("max_chars", max_chars, "Most characters; 0 sets no limit.", at_least(0));
    }
  };

  static OpCard card() {
    return {.about = "Drops documents outside a range of words or characters.",
            .source = "Dataverse length___word_len_filter, length___char_len_filter"};
  }

  explicit Length(const Options& o) {
    using Drops = Check::Drops;
    const double off = std::numeric_limits<double>::quiet_NaN();
    const auto most = [&](int64_t limit) { return limit > 0 ? double(limit) : off; };
    checks_ = {{"too_few_words", Drops::below, double(o.min_words)},
               {"too_many_words", Drops::above, most(o.max_words)},
               {"too_few_chars", Drops::below, most(o.min_chars)},
               {"too_many_chars", Drops::above, most(o.max_chars)}};
    chars_ = o.min_chars > 0 || o.max_chars > 0;
  }

  void measure(const Document& document, Figures& figures) const override {
    const double words = double(text::count_words(document.text));
    if (!figures.next(words) || !figures.next(words) || !chars_) return;
    const double chars = double(text::count_code_points(document.text));
    if (figures.next(chars)) figures.next(chars);
  }

 private:
  bool chars_ = false;
};

}  // namespace

HELIO_OP(Length)

}  // namespace helio::data
