// Write a dataset as Parquet or Arrow files, on disk or in an object store.
#include "data/write/export.h"

#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"

namespace helio::cli {
namespace {

class DataExport final : public Command {
 public:
  Card card() const override {
    return {.positional = {"dataset"},
            .required = {"dataset", "path"},
            .examples = {"helio data export workspace/datasets/clean --path clean-parquet",
                         "helio data export workspace/datasets/clean --path s3://lake/clean "
                         "--format arrow --shard 256M"}};
  }

  void describe(Fields& f) override {
    f.input("dataset", dataset_, "The dataset.");
    options_.describe(f);
  }

  int run(Context& context) override {
    const data::Exported exported =
        data::export_dataset(dataset_, options_, context.monitor, context.stop);
    if (context.json)
      context.out << compact({{"documents", exported.documents},
                              {"rows", exported.rows},
                              {"path", options_.path},
                              {"files", exported.files}})
                  << '\n';
    else
      context.out << fmt::format("{} documents in {} {} files in {}\n", exported.documents,
                                 exported.files.size(), options_.format, options_.path);
    return 0;
  }

 private:
  std::string dataset_;
  data::ExportOptions options_;
};

}  // namespace
}  // namespace helio::cli

HELIO_COMMAND(helio::cli::DataExport)
