// Write one self-contained HTML page from a workspace: the numbers, why, and where they come from.
#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/manifest.h"
#include "core/version.h"
#include "report/model.h"
#include "report/page.h"

namespace helio::cli {
namespace {

// Kept small enough to be sent by mail and opened on a phone.
constexpr size_t kLargestPage = 1'000'000;

class ReportCommand final : public Command {
 public:
  Card card() const override {
    return {.positional = {"workspace"},
            .examples = {
                "helio report workspace",
                "helio report --workspace workspace --out workspace/reports/solar-mini --json"}};
  }

  void describe(Fields& f) override {
    f.input("stages", stages_,
            "Artefacts to show, by the stage that makes them; empty: all of the workspace.");
    f("workspace", workspace_, "Workspace to read; empty: the one that holds `out`.");
    f("title", title_, "Title of the page; empty: the recipe's name.");
    f("about", about_, "A line under the title; empty: the recipe's.");
    f.output("out", out_, "reports", "Folder of report.html and report.json.");
  }

  int run(Context& context) override {
    if (out_.empty() && workspace_.empty())
      throw Error(ErrorKind::usage, "helio report needs a workspace or --out")
          .with_hint("helio report workspace");
    if (out_.empty()) out_ = (fs::path(workspace_) / "reports" / "report").string();
    fs::path out = fs::path(out_).lexically_normal();
    if (!out.has_filename()) out = out.parent_path();
    const fs::path workspace =
        workspace_.empty() ? fs::absolute(out).parent_path().parent_path() : fs::path(workspace_);
    report::Report report = in_context(
        [&] { return "reading workspace '" + workspace.string() + "'"; },
        [&] {
          return report::read_report(
              {.workspace = workspace, .stages = stages_, .self = out.filename().string()});
        });
    if (!title_.empty()) report.title = title_;
    if (!about_.empty()) report.about = about_;
    const std::string page = report::render_page(report);
    if (page.size() > kLargestPage)
      context.monitor.warn(
          fmt::format("the page has {} bytes, more than {}", page.size(), kLargestPage));
    const OrderedJson figures = report::figures(report);
    write(out, page, figures);
    if (context.json) {
      OrderedJson shown = figures;
      shown["page"] = (out / "report.html").string();
      context.out << compact(shown) << "\n";
    } else {
      context.out << (out / "report.html").string() << "\n";
    }
    return 0;
  }

 private:
  // report.json has the numbers, which repeat; report.html has times as well, which do not: it is
  // telemetry, and its bytes are not part of the artefact's content.
  void write(const fs::path& out, const std::string& page, const OrderedJson& figures) const {
    // Committing replaces the folder: only one that a report made before may be replaced.
    if (fs::exists(out) && !(has_manifest(out) && load_manifest(out).kind == "report") &&
        !fs::is_empty(out))
      throw Error(ErrorKind::invalid, "'" + out.string() + "' exists and is no report")
          .with_hint("choose another --out, or remove it");
    StagedDir staged(out);
    write_file_atomic(staged.path() / "report.html", page);
    write_file_atomic(staged.path() / "report.json", pretty(figures));
    Manifest manifest{.kind = "report",
                      .name = out.filename().string(),
                      .made_by = "report",
                      .version = std::string(version()),
                      .code = code_hash("report")};
    for (const auto& stage : stages_) manifest.inputs.push_back(describe_input("stages", stage));
    manifest.options = {{"title", title_}, {"about", about_}};
    seal_artefact(staged.path(), manifest, {"report.html"});
    staged.commit();
  }

  std::vector<std::string> stages_ = {};
  std::string workspace_ = {}, title_ = {}, about_ = {}, out_ = {};
};

}  // namespace
}  // namespace helio::cli

HELIO_COMMAND(helio::cli::ReportCommand)
