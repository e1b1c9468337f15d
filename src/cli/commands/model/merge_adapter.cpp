// Merge a LoRA adapter (PEFT's layout) into the model it was trained on.
#include <fmt/format.h>

#include <ostream>

#include "checkpoint/lora.h"
#include "cli/command.h"

namespace helio::cli {
namespace {

class ModelMergeAdapter final : public Command {
 public:
  Card card() const override {
    return {.positional = {"base", "adapter"},
            .required = {"base", "adapter", "out"},
            .examples = {"helio model merge-adapter models/base runs/adapter --out models/merged"}};
  }
  void describe(Fields& f) override { options_.describe(f); }

  int run(Context& context) override {
    const auto report = checkpoint::merge_adapter(options_, context.monitor, context.stop);
    if (context.json)
      context.out << compact({{"base", options_.base},
                              {"adapter", options_.adapter},
                              {"out", options_.out},
                              {"tensors", report.tensors},
                              {"merged", report.merged},
                              {"replaced", report.replaced}})
                  << "\n";
    else
      context.out << fmt::format("{} of {} tensors changed by the adapter, {} replaced: {}\n",
                                 report.merged, report.tensors, report.replaced, options_.out);
    return 0;
  }

 private:
  checkpoint::MergeAdapterOptions options_ = {};
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::ModelMergeAdapter)
