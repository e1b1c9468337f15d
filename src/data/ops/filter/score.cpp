// Drops documents by a score that an earlier step gave them.
#include "core/error.h"
#include "data/op.h"

namespace helio::data {
namespace {

class Score final : public Filter {
 public:
  struct Options {
    std::string score = {};
    double above = std::numeric_limits<double>::infinity();
    double below = -std::numeric_limits<double>::infinity();
    std::string missing = "keep";
    void describe(Fields& f) {
      f("score", score, "Name of the score, as 'helio data explain' shows it.");
      f("above", above, "Documents with a higher score are dropped.");
      f("below", below, "Documents with a lower score are dropped.");
      f("missing", missing, "A document without the score is kept, or dropped.",
        one_of({"keep", "drop"}));
    }
  };

  static OpCard card() {
    return {.about = "Drops documents whose score, given by an earlier step, is beyond a limit."};
  }

  explicit Score(const Options& options)
      : score_(options.score), drop_missing_(options.missing == "drop") {
    if (score_.empty())
      throw Error(ErrorKind::invalid, "filter.score needs the name of a 'score'")
          .with_hint("for example: {op: filter.score, score: lexicon, above: 5}");
    const double off = std::numeric_limits<double>::quiet_NaN();
    const auto limit = [&](double value) { return std::isinf(value) ? off : value; };
    checks_ = {{score_ + "_missing", Check::Drops::above, drop_missing_ ? 0 : off},
               {score_ + "_above", Check::Drops::above, limit(options.above)},
               {score_ + "_below", Check::Drops::below, limit(options.below)}};
    if (std::isinf(options.above) && std::isinf(options.below) && !drop_missing_)
      throw Error(ErrorKind::invalid, "filter.score has no limit")
          .with_hint("give 'above' or 'below'");
  }

  void measure(const Document& document, Figures& figures) const override {
    const auto found = document.scores.find(score_);
    const bool known = found != document.scores.end();
    if (!figures.next(known ? 0 : 1)) return;
    const double value = known ? found->second : std::numeric_limits<double>::quiet_NaN();
    if (figures.next(value)) figures.next(value);
  }

 private:
  std::string score_;
  bool drop_missing_;
};

}  // namespace

HELIO_OP(Score)

}  // namespace helio::data
