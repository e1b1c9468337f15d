// Write a model's weights as files of at most a given size, or as one.
#include <fmt/format.h>

#include <ostream>

#include "checkpoint/model_copy.h"
#include "cli/command.h"

namespace helio::cli {
namespace {

class ModelShard final : public Command {
 public:
  Card card() const override {
    return {.positional = {"model"},
            .required = {"model", "out"},
            .examples = {"helio model shard models/solar-10.7b --size 5GB --out models/sharded",
                         "helio model shard models/sharded --size 0 --out models/single"}};
  }
  void describe(Fields& f) override { options_.describe(f); }

  int run(Context& context) override {
    const auto report = checkpoint::shard_model(options_, context.monitor, context.stop);
    if (context.json)
      context.out << compact({{"model", options_.model},
                              {"out", options_.out},
                              {"tensors", report.tensors},
                              {"parameters", report.parameters},
                              {"files", report.files},
                              {"bytes", report.bytes}})
                  << "\n";
    else
      context.out << fmt::format("{} tensors in {} file{}, {} bytes: {}\n", report.tensors,
                                 report.files, report.files == 1 ? "" : "s",
                                 fmt::group_digits(report.bytes), options_.out);
    return 0;
  }

 private:
  checkpoint::ShardOptions options_ = {};
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::ModelShard)
