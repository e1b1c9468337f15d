// Write a dataset's report as one HTML page and JSON: funnel, histograms, samples, partners.
#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"
#include "core/error.h"
#include "core/fs.h"
#include "data/insight/dataset_report.h"
#include "report/data_page.h"

namespace helio::cli {
namespace {

class DataReport final : public Command {
 public:
  Card card() const override {
    return {
        .positional = {"dataset"},
        .required = {"dataset", "out"},
        .examples = {"helio data report workspace/datasets/corpus --out corpus.html",
                     "helio data report workspace/datasets/corpus --out corpus.html --samples 0 "
                     "--json"}};
  }

  void describe(Fields& f) override {
    f.input("dataset", dataset_, "The dataset.");
    f("out", out_, "The page: FILE.html. The figures go beside it as FILE.json.");
    f("samples", samples_, "Dropped documents shown for each reason; 0 quotes no text at all.",
      between(0, 100));
    f("characters", characters_, "Most characters quoted of a document's text.",
      between(0, 10'000));
  }

  int run(Context& context) override {
    fs::path page = out_;
    if (page.extension() != ".html")
      throw Error(ErrorKind::usage, "--out " + out_ + " is no name of a page")
          .with_hint("name it like corpus.html");
    const OrderedJson figures =
        data::dataset_report(dataset_, {.samples = size_t(samples_), .characters = characters_});
    write_file_atomic(page, report::render_data_page(Json(figures), dataset_));
    fs::path beside = page;
    beside.replace_extension(".json");
    write_file_atomic(beside, pretty(figures));
    if (context.json) context.out << compact(figures) << '\n';
    else context.out << page.string() << '\n' << beside.string() << '\n';
    return 0;
  }

 private:
  std::string dataset_, out_;
  int64_t samples_ = 3, characters_ = 240;
};

}  // namespace
}  // namespace helio::cli

HELIO_COMMAND(helio::cli::DataReport)
