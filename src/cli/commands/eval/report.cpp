// Write evaluation results as one page, with a leaderboard, charts, and each item's answers.
#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/version.h"
#include "report/eval_page.h"

namespace helio::cli {
namespace {

class EvalReportCommand final : public Command {
 public:
  Card card() const override {
    return {.positional = {"results"},
            .required = {"results", "out"},
            .examples = {"helio eval report evals/base evals/tuned --out report.html",
                         "helio eval report evals/scores --items 0 --out report.html --json"}};
  }
  void describe(Fields& f) override {
    f.input("results", results_, "Folders that helio eval run wrote.");
    f("out", out_, "The page: FILE.html. FILE.csv and FILE.md go beside it.");
    f("title", title_, "Title of the page.");
    f.input("overlap", overlaps_,
            "Files that helio eval overlap --out wrote: shown beside the scores.");
    f("items", items_, "Items shown of each task; those models disagree on first. 0: none.",
      between(0, 100'000));
  }

  int run(Context& context) override {
    const fs::path page = out_;
    if (page.extension() != ".html")
      throw Error(ErrorKind::usage, "--out " + out_ + " is no name of a page")
          .with_hint("name it like report.html");
    for (const auto& folder : results_)
      if (!fs::exists(fs::path(folder) / "results.json"))
        throw Error(ErrorKind::not_found, "no results.json in '" + folder + "'")
            .with_hint("helio eval run … --out " + folder);
    const report::EvalReport report = report::read_eval_report(results_, items_, overlaps_);
    write_file_atomic(page, report::render_eval_page(report, title_, std::string(version())));
    fs::path csv = page, markdown = page;
    csv.replace_extension(".csv");
    markdown.replace_extension(".md");
    write_file_atomic(csv, report::eval_csv(report));
    write_file_atomic(markdown, report::eval_markdown(report));
    if (context.json)
      context.out << compact({{"page", page.string()},
                              {"csv", csv.string()},
                              {"markdown", markdown.string()},
                              {"models", report.evaluation.models},
                              {"tasks", report.evaluation.tasks.size()},
                              {"items", report.items.size()},
                              {"items_left_out", report.items_left_out}})
                  << "\n";
    else context.out << page.string() << "\n" << csv.string() << "\n" << markdown.string() << "\n";
    return 0;
  }

 private:
  std::vector<std::string> results_ = {}, overlaps_ = {};
  std::string out_ = {}, title_ = "Evaluation";
  int64_t items_ = 200;
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::EvalReportCommand)
