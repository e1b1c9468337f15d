// Write a model's weights in another floating-point dtype, rounded as torch does.
#include <fmt/format.h>

#include <ostream>

#include "checkpoint/model_copy.h"
#include "cli/command.h"

namespace helio::cli {
namespace {

class ModelCast final : public Command {
 public:
  Card card() const override {
    return {.positional = {"model"},
            .required = {"model", "dtype", "out"},
            .examples = {"helio model cast models/base --dtype bfloat16 --out models/base-bf16"}};
  }
  void describe(Fields& f) override { options_.describe(f); }

  int run(Context& context) override {
    const auto report = checkpoint::cast_model(options_, context.monitor, context.stop);
    if (report.infinite_values > 0)
      context.monitor.warn(fmt::format("{} values are too large for {} and became infinite",
                                       fmt::group_digits(report.infinite_values), options_.dtype));
    if (context.json)
      context.out << compact({{"model", options_.model},
                              {"out", options_.out},
                              {"dtype", options_.dtype},
                              {"tensors", report.tensors},
                              {"cast_tensors", report.cast_tensors},
                              {"parameters", report.parameters},
                              {"rounded_values", report.rounded_values},
                              {"infinite_values", report.infinite_values},
                              {"files", report.files},
                              {"bytes", report.bytes}})
                  << "\n";
    else
      context.out << fmt::format("{} of {} tensors cast to {}: {} of {} values were rounded: {}\n",
                                 report.cast_tensors, report.tensors, options_.dtype,
                                 fmt::group_digits(report.rounded_values),
                                 fmt::group_digits(report.parameters), options_.out);
    return 0;
  }

 private:
  checkpoint::CastOptions options_ = {};
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::ModelCast)
