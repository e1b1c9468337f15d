// List the operators a data pipeline is made of, or describe one with its options.
#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"
#include "data/op.h"

namespace helio::cli {
namespace {

class DataOps final : public Command {
 public:
  Card card() const override {
    return {.positional = {"name"}, .examples = {"helio data ops", "helio data ops dedup.minhash"}};
  }

  void describe(Fields& f) override {
    f("name", name_, "The operator to describe; all when left out.");
  }

  int run(Context& context) override {
    if (!name_.empty()) {
      const data::Op& op = data::find_op(name_);
      if (context.json) context.out << compact(json_of(op)) << '\n';
      else describe_op(context.out, op);
      return 0;
    }
    if (context.json) {
      OrderedJson all = OrderedJson::array();
      for (const auto& [name, op] : data::ops()) all.push_back(json_of(op));
      context.out << compact(OrderedJson{{"ops", all}}) << '\n';
      return 0;
    }
    for (const auto& [name, op] : data::ops())
      context.out << fmt::format("{:<26}{:<8}{}\n", name, data::name_of(op.shape), op.card.about);
    return 0;
  }

 private:
  static OrderedJson json_of(const data::Op& op) {
    return {{"name", op.name},
            {"shape", data::name_of(op.shape)},
            {"about", op.card.about},
            {"source", op.card.source},
            {"options", op.schema}};
  }

  static void describe_op(std::ostream& out, const data::Op& op) {
    out << fmt::format("{} ({})\n\n{}\n", op.name, data::name_of(op.shape), op.card.about);
    if (!op.card.source.empty()) out << "Source: " << op.card.source << '\n';
    if (!op.fields.empty()) out << "\nOptions:\n";
    for (const FieldInfo& field : op.fields)
      out << fmt::format("  {:<26}{}{}\n", field.name, field.help,
                         field.value.empty() ? "" : " (" + field.value + ")");
  }

  std::string name_;
};

}  // namespace
}  // namespace helio::cli

HELIO_COMMAND(helio::cli::DataOps)
