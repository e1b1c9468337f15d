// Make one model of several by a plan in mergekit's YAML: slices, averages, SLERP, TIES, DARE.
#include "checkpoint/merge/merge.h"

#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"

namespace helio::cli {
namespace {

using checkpoint::Assembly;

class MergeCommand final : public Command {
 public:
  Card card() const override {
    return {.required = {"plan"},
            .examples = {"helio merge --plan slerp.yaml --out models/merged",
                         "helio merge --plan ties.yaml --models models/base models/ko models/chat "
                         "--out models/all",
                         "helio merge --plan ties.yaml --dry-run"}};
  }

  void describe(Fields& f) override {
    options_.describe(f);
    f("dry_run", dry_run_, "Print the plan and write nothing.");
  }

  int run(Context& context) override {
    const checkpoint::Merge merge(options_);
    const Assembly& assembly = merge.assembly();
    for (const auto& note : assembly.notes()) context.monitor.warn(note);
    if (!dry_run_) merge.write(context.monitor, context.stop);
    if (assembly.not_numbers() > 0)
      context.monitor.warn(fmt::format("{} values of the new model are not numbers (NaN)",
                                       fmt::group_digits(assembly.not_numbers())));
    if (context.json) print_json(context.out, assembly);
    else print_text(context.out, assembly);
    return 0;
  }

 private:
  void print_json(std::ostream& out, const Assembly& assembly) const {
    const auto after = assembly.after();
    auto layers = OrderedJson::array(), models = OrderedJson::array();
    for (const auto& model : assembly.models()) models.push_back(model->dir().string());
    for (const auto& layer : assembly.layers()) {
      auto from = OrderedJson::array();
      for (const auto& [model, number] : layer.from) from.push_back({model, number});
      layers.push_back(std::move(from));
    }
    out << compact({{"plan", options_.plan},
                    {"out", options_.out},
                    {"written", !dry_run_},
                    {"method", assembly.plan().method->name},
                    {"models", std::move(models)},
                    {"layer_sources", std::move(layers)},
                    {"layers", after.layers},
                    {"parameters", after.parameters},
                    {"bytes", after.bytes},
                    {"files", after.files},
                    {"computed_tensors", assembly.computed_tensors()},
                    {"not_numbers", assembly.not_numbers()}})
        << "\n";
  }

  void print_text(std::ostream& out, const Assembly& assembly) const {
    const auto after = assembly.after();
    out << fmt::format("Merging by {}\n", assembly.plan().method->name);
    for (const auto& slice : assembly.plan().slices) {
      out << fmt::format("  {} layer{}", slice.sources[0].end - slice.sources[0].first,
                         slice.sources[0].end - slice.sources[0].first == 1 ? "" : "s");
      const char* join = " of ";
      for (const auto& source : slice.sources) {
        out << fmt::format("{}{} {}-{}", join, source.model, source.first, source.end - 1);
        join = ", ";
      }
      out << (slice.identity ? ", passing on what they get\n" : "\n");
    }
    out << fmt::format("  {} layers, {} parameters, {} bytes in {} file{}\n", after.layers,
                       fmt::group_digits(after.parameters), fmt::group_digits(after.bytes),
                       after.files, after.files == 1 ? "" : "s");
    if (dry_run_) out << "\nNothing was written (--dry-run).\n";
    else out << "\nWritten to " << options_.out << ".\n";
  }

  checkpoint::MergeOptions options_ = {};
  bool dry_run_ = false;
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::MergeCommand)
