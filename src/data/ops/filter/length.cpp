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

  explicit Length(const Options& options) : options_(options) {}

  Verdict judge(const Document& document) const override {
    const int64_t words = text::count_words(document.text);
    if (words < options_.min_words) return drop("too_few_words", double(words));
    if (options_.max_words > 0 && words > options_.max_words)
      return drop("too_many_words", double(words));
    if (options_.min_chars == 0 && options_.max_chars == 0) return keep();
    const int64_t chars = text::count_code_points(document.text);
    if (chars < options_.min_chars) return drop("too_few_chars", double(chars));
    if (options_.max_chars > 0 && chars > options_.max_chars)
      return drop("too_many_chars", double(chars));
    return keep();
  }

 private:
  Options options_;
};

}  // namespace

HELIO_OP(Length)

}  // namespace helio::data
