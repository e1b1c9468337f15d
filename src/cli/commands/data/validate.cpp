// Check the data steps of a recipe, or a file of steps, without reading a document.
#include "data/insight/validate.h"

#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"

namespace helio::cli {
namespace {

class DataValidate final : public Command {
 public:
  Card card() const override {
    return {.positional = {"recipe"},
            .required = {"recipe"},
            .examples = {"helio data validate recipes/solar-mini.yaml",
                         "helio data validate steps.yaml --strict --json"}};
  }

  void describe(Fields& f) override {
    f("recipe", recipe_, "A recipe, the options of data run, or a list of steps: FILE[#section].");
    f("strict", strict_, "Warnings are errors too.");
  }

  int run(Context& context) override {
    using Weight = data::Problem::Weight;
    const data::Validation result =
        data::validate(load_yaml(recipe_), recipe_.substr(0, recipe_.find('#')));
    const size_t errors = result.count(Weight::error), warnings = result.count(Weight::warning);
    if (context.json) {
      context.out << compact(result.json()) << '\n';
    } else {
      for (const data::Problem& problem : result.problems) {
        context.out << fmt::format("{}: {}: {}{}{}\n", problem.place,
                                   problem.weight == Weight::error ? "error" : "warning",
                                   problem.stage.empty() ? "" : "stage " + problem.stage + ": ",
                                   problem.step.empty() || problem.message.starts_with(problem.step)
                                       ? ""
                                       : problem.step + ": ",
                                   problem.message);
        if (!problem.hint.empty()) context.out << "  hint: " << problem.hint << '\n';
      }
      context.out << fmt::format("{} steps, {} errors, {} warnings\n", result.steps, errors,
                                 warnings);
    }
    return errors > 0 || (strict_ && warnings > 0) ? 3 : 0;
  }

 private:
  std::string recipe_;
  bool strict_ = false;
};

}  // namespace
}  // namespace helio::cli

HELIO_COMMAND(helio::cli::DataValidate)
