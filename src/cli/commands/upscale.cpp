// Make a model deeper by depth up-scaling (DUS): two copies, m layers off each, put together.
#include <fmt/format.h>

#include <ostream>

#include "checkpoint/surgery.h"
#include "cli/command.h"

namespace helio::cli {
namespace {

using checkpoint::Upscale;
using checkpoint::UpscalePlan;

std::string repeat(const char* mark, int64_t times) {
  std::string out;
  for (int64_t i = 0; i < times; ++i) out += mark;
  return out;
}

std::string range(int64_t first, int64_t end) {
  return end - first == 1 ? fmt::format("layer {}", first)
                          : fmt::format("layers {}-{}", first, end - 1);
}

// The two copies as rows, one mark a layer, a dot for a layer that is dropped.
std::string draw(const UpscalePlan& plan) {
  const int64_t n = plan.source_layers, m = plan.drop, kept = n - m;
  const std::string dropped = m == 0 ? "" : "   without " + range(kept, n);
  const std::string dropped_2 = m == 0 ? "" : "   without " + range(0, m);
  return fmt::format(
      "  copy 1  {}{}  {}{}\n"
      "  copy 2  {}{}  {}{}\n"
      "  seam    after new layer {}: source layer {} is followed by source layer {}\n",
      repeat("■", kept), repeat("·", m), range(0, kept), dropped, repeat("·", m), repeat("■", kept),
      range(m, n), dropped_2, plan.seam - 1, plan.layers[static_cast<size_t>(plan.seam) - 1].layer,
      plan.layers[static_cast<size_t>(plan.seam)].layer);
}

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
            .required = {"model", "drop"},
            .examples = {"helio upscale models/mistral-7b --drop 8 --out models/solar-10.7b",
                         "helio upscale models/mistral-7b --drop 8 --dry-run"}};
  }

  void describe(Fields& f) override {
    options_.describe(f);
    f("dry_run", dry_run_, "Print the plan and write nothing.");
  }

  int run(Context& context) override {
    const Upscale upscale(options_);
    if (!dry_run_) upscale.write(context.monitor, context.stop);
    const UpscalePlan& plan = upscale.plan();
    if (context.json) {
      OrderedJson map = OrderedJson::array(), copy = OrderedJson::array();
      for (const auto& layer : plan.layers) {
        map.push_back(layer.layer);
        copy.push_back(layer.copy);
      }
      context.out << compact({{"model", options_.model},
                              {"out", options_.out},
                              {"written", !dry_run_},
                              {"drop", plan.drop},
                              {"seam", plan.seam},
                              {"layer_map", map},
                              {"layer_copy", copy},
                              {"before", size_json(upscale.before())},
                              {"after", size_json(upscale.after())}})
                  << "\n";
      return 0;
    }
    context.out
        << fmt::format(
               "Depth up-scaling: {} layers, {} dropped from each copy, {} in the new model\n",
               plan.source_layers, plan.drop, plan.layers.size())
        << draw(plan) << "\n"
        << fmt::format("  {:<8}{:>7}{:>18}{:>20}{:>7}\n", "", "layers", "parameters", "bytes",
                       "files")
        << size_row("before", upscale.before()) << size_row("after", upscale.after());
    if (dry_run_) context.out << "\nNothing was written (--dry-run).\n";
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
