// Read what lm-evaluation-harness wrote, so that it is reported and compared beside other results.
#include "eval/lm_eval/import.h"

#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"

namespace helio::cli {
namespace {

class EvalImport final : public Command {
 public:
  Card card() const override {
    return {.positional = {"from"},
            .required = {"from", "out"},
            .examples = {"helio eval import lm-eval-results --out evals/theirs",
                         "helio eval import out/my__model/results_2026-11-27T16-35-50.854179.json "
                         "--out evals/theirs"}};
  }
  void describe(Fields& f) override {
    f.input("from", from_, "Files results_*.json of lm_eval --output_path, or folders of them.");
    f.output("out", out_, "evals", "Folder of results.json and samples/.");
  }

  int run(Context& context) override {
    const auto imported = eval::import_lm_eval(from_, out_);
    for (const auto& one : imported.without_items)
      context.monitor.note("no samples of " + one + ": lm_eval --log_samples writes them");
    if (context.json) {
      context.out << compact({{"files", imported.files},
                              {"models", imported.results.at("models").size()},
                              {"tasks", imported.results.at("tasks").size()},
                              {"items", imported.items},
                              {"without_items", imported.without_items}})
                  << "\n";
      return 0;
    }
    for (const auto& result : imported.results.at("results"))
      context.out << fmt::format("{}: {} ({} items)\n", result.at("model").get<std::string>(),
                                 result.at("task").get<std::string>(),
                                 result.at("n").get<int64_t>());
    context.out << "Written to " << out_ << ": results.json, samples/\n";
    return 0;
  }

 private:
  std::vector<std::string> from_ = {};
  std::string out_ = {};
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::EvalImport)
