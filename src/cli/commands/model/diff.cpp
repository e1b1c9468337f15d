// Compare the tensors of two models, of any formats; exit code 5 when they differ.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include "checkpoint/made_tensors.h"
#include "checkpoint/model_diff.h"
#include "cli/command.h"
#include "cli/table.h"

namespace helio::cli {
namespace {

std::string shape_text(const std::vector<int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ","));
}

// JSON has no infinity: what is not finite in one of the models and differs is null.
OrderedJson finite(double value) {
  return std::isfinite(value) ? OrderedJson(value) : OrderedJson(nullptr);
}

class ModelDiffCommand final : public Command {
 public:
  Card card() const override {
    return {.positional = {"a", "b"},
            .required = {"a", "b"},
            .examples = {"helio model diff models/base models/tuned",
                         "helio model diff model.gguf models/original --rows 50"}};
  }
  void describe(Fields& f) override {
    f.input("a", a_, "Hugging Face model folder, .safetensors or .gguf file.");
    f.input("b", b_, "The other one.");
    f("rows", rows_, "Tensors shown at most, those that differ most first; 0: all.", at_least(0));
    f("threads", threads_, "0: as many as the machine has.", between(0, 256));
  }

  int run(Context& context) override {
    const auto diff = checkpoint::diff_models(a_, b_, checkpoint::worker_count(threads_),
                                              context.monitor, context.stop);
    if (context.json) print_json(context.out, diff);
    else print_text(context.out, diff);
    return diff.same() ? 0 : 5;
  }

 private:
  void print_json(std::ostream& out, const checkpoint::ModelDiff& diff) const {
    OrderedJson tensors = OrderedJson::array();
    for (const auto& tensor : diff.tensors)
      if (!tensor.same())
        tensors.push_back({{"name", tensor.name},
                           {"shape_a", tensor.shape_a},
                           {"shape_b", tensor.shape_b},
                           {"type_a", tensor.type_a},
                           {"type_b", tensor.type_b},
                           {"compared", tensor.compared},
                           {"elements", tensor.elements},
                           {"different", tensor.different},
                           {"largest", finite(tensor.largest)},
                           {"largest_relative", finite(tensor.largest_relative)}});
    out << compact({{"a", a_},
                    {"b", b_},
                    {"same", diff.same()},
                    {"in_both", diff.tensors.size()},
                    {"equal", diff.equal},
                    {"other_types", diff.other_types},
                    {"only_a", diff.only_a},
                    {"only_b", diff.only_b},
                    {"different", tensors}})
        << "\n";
  }

  void print_text(std::ostream& out, const checkpoint::ModelDiff& diff) const {
    for (const auto& name : diff.only_a) out << "only in a: " << name << "\n";
    for (const auto& name : diff.only_b) out << "only in b: " << name << "\n";
    std::vector<const checkpoint::TensorDiff*> differ;
    for (const auto& tensor : diff.tensors)
      if (!tensor.same()) differ.push_back(&tensor);
    std::stable_sort(differ.begin(), differ.end(), [](const auto* a, const auto* b) {
      return a->compared != b->compared ? !a->compared : a->largest_relative > b->largest_relative;
    });
    std::vector<std::vector<std::string>> rows;
    for (const auto* tensor : differ) {
      if (rows_ > 0 && static_cast<int64_t>(rows.size()) == rows_) break;
      const std::string types = tensor->type_a == tensor->type_b
                                    ? tensor->type_a
                                    : tensor->type_a + " / " + tensor->type_b;
      if (!tensor->compared)
        rows.push_back({tensor->name, types,
                        shape_text(tensor->shape_a) + " / " + shape_text(tensor->shape_b), "—",
                        "—"});
      else
        rows.push_back({tensor->name, types,
                        fmt::format("{} of {}", fmt::group_digits(tensor->different),
                                    fmt::group_digits(tensor->elements)),
                        fmt::format("{:.3g}", tensor->largest),
                        fmt::format("{:.3g}", tensor->largest_relative)});
    }
    if (!rows.empty())
      out << table_text({{"tensor"},
                         {"type"},
                         {"different values", Align::right},
                         {"largest", Align::right},
                         {"relative", Align::right}},
                        rows);
    if (rows.size() < differ.size())
      out << fmt::format("... and {} tensors more (--rows 0 shows all)\n",
                         differ.size() - rows.size());
    out << fmt::format("{} tensors in both: {} equal, {} different{}; {} only in a, {} only in b\n",
                       diff.tensors.size(), diff.equal, differ.size(),
                       diff.other_types > 0
                           ? fmt::format(" ({} are stored in another type)", diff.other_types)
                           : "",
                       diff.only_a.size(), diff.only_b.size());
  }

  std::string a_ = {}, b_ = {};
  int64_t rows_ = 20, threads_ = 0;
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::ModelDiffCommand)
