// Make a model deeper by depth up-scaling (DUS): copies of it, some layers off each, put together.
#include <fmt/format.h>

#include <ostream>

#include "checkpoint/surgery.h"
#include "cli/command.h"
#include "cli/layer_drawing.h"

namespace helio::cli {
namespace {

using checkpoint::Upscale;
using checkpoint::UpscalePlan;

std::string size_row(const char* name, const Upscale::Size& size) {
  return fmt::format("  {:<8}{:>7}{:>18}{:>20}{:>7}\n", name, size.layers,
                     fmt::format("{}", fmt::group_digits(size.parameters)),
                     fmt::format("{}", fmt::group_digits(size.bytes)), size.files);
}

OrderedJson size_json(const Upscale::Size& size) {
  return {{"layers", size.layers},
          {"parameters", size.parameters},
          {"bytes", size.bytes},
          {"files", size.files}};
}

class UpscaleCommand final : public Command {
 public:
  Card card() const override {
    return {.positional = {"model"},
            .examples = {"helio upscale models/mistral-7b --drop 8 --out models/solar-10.7b",
                         "helio upscale models/mistral-7b --drop 8 --dry-run",
                         "helio upscale models/base --method interleave --every 4 --init identity "
                         "--out models/deep",
                         "helio upscale --plan slices.yaml --out models/deep"}};
  }

  void describe(Fields& f) override {
    options_.describe(f);
    f("dry_run", dry_run_, "Print the plan and write nothing.");
  }

  int run(Context& context) override {
    const Upscale upscale(options_);
    for (const auto& note : upscale.notes()) context.monitor.warn(note);
    if (!dry_run_) upscale.write(context.monitor, context.stop);
    const UpscalePlan& plan = upscale.plan();
    if (context.json) {
      OrderedJson json = {{"model", options_.model}, {"out", options_.out}, {"written", !dry_run_}};
      add_layers(json, plan);
      json["before"] = size_json(upscale.before());
      json["after"] = size_json(upscale.after());
      context.out << compact(json) << "\n";
      return 0;
    }
    context.out << layer_drawing(plan) << "\n"
                << fmt::format("  {:<8}{:>7}{:>18}{:>20}{:>7}\n", "", "layers", "parameters",
                               "bytes", "files")
                << size_row("before", upscale.before()) << size_row("after", upscale.after());
    if (dry_run_) context.out << "\nNothing was written (--dry-run).\n";
    else if (options_.init == "identity")
      context.out << "\nWritten to " << options_.out
                  << ". It computes what the base computes; continue its pre-training.\n";
    else
      context.out << "\nWritten to " << options_.out
                  << ". Continue its pre-training: the loss jumps at the seam and recovers.\n";
    return 0;
  }

 private:
  checkpoint::UpscaleOptions options_ = {};
  bool dry_run_ = false;
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::UpscaleCommand)
