// Give a model rows for the tokens of an extended tokenizer: embedding and output head.
#include "checkpoint/resize.h"

#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"
#include "cli/vocabulary_change.h"

namespace helio::cli {
namespace {

class ModelResize final : public Command {
 public:
  Card card() const override {
    return {
        .positional = {"model"},
        .required = {"model", "tokenizer"},
        .examples = {"helio model resize models/base --tokenizer tokenizers/base-ko --out "
                     "models/base-ko --pad-to-multiple 64",
                     "helio model resize models/base --tokenizer tokenizers/base-ko --dry-run"}};
  }

  void describe(Fields& f) override {
    options_.describe(f);
    f("dry_run", dry_run_, "Print the plan and write nothing.");
  }

  int run(Context& context) override {
    auto change = find_tokenizer_change(options_.model, options_.tokenizer, context.monitor);
    const checkpoint::Resize resize(options_, std::move(change.vocabulary));
    for (const auto& name : resize.left_out())
      context.monitor.warn("the model's '" + name +
                           "' is left out: the new tokenizer does not bring one");
    if (!dry_run_) resize.write(context.monitor, context.stop);
    if (context.json) print_json(context.out, resize.plan(), change.pieces_from);
    else print_text(context.out, resize.plan(), change.pieces_from);
    return 0;
  }

 private:
  using Plan = checkpoint::Resize::Plan;

  void print_json(std::ostream& out, const Plan& p, const std::string& pieces_from) const {
    out << compact(
               {{"model", options_.model},
                {"tokenizer", options_.tokenizer},
                {"out", options_.out},
                {"written", !dry_run_},
                {"init", options_.init},
                {"tensors", p.tensors},
                {"rows", {{"before", p.rows_before}, {"after", p.rows_after}}},
                {"tokens", {{"before", p.base_tokens}, {"after", p.tokens}}},
                {"new_tokens", p.new_tokens},
                {"with_pieces", p.with_pieces},
                {"pieces_from", pieces_from},
                {"reused_rows", p.reused_rows},
                {"padding_rows", p.padding_rows},
                {"parameters", {{"before", p.parameters_before}, {"after", p.parameters_after}}}})
        << "\n";
  }

  void print_text(std::ostream& out, const Plan& p, const std::string& pieces_from) const {
    const auto row = [&](const char* name, int64_t before, int64_t after) {
      out << fmt::format("  {:<12}{:>16} ->{:>16}\n", name,
                         fmt::format("{}", fmt::group_digits(before)),
                         fmt::format("{}", fmt::group_digits(after)));
    };
    out << fmt::format("Resizing {}\n", fmt::join(p.tensors, ", "));
    row("tokens", p.base_tokens, p.tokens);
    row("rows", p.rows_before, p.rows_after);
    row("parameters", p.parameters_before, p.parameters_after);
    if (p.new_tokens > 0)
      out << fmt::format("  {} new tokens, {} of them on rows that were padding\n", p.new_tokens,
                         p.reused_rows);
    if (p.new_tokens > 0 && options_.init == "mean")
      out << fmt::format(
          "  {} begin as the mean of their old pieces (from {}), {} as the mean of "
          "all old rows\n",
          p.with_pieces, pieces_from, p.new_tokens - p.with_pieces);
    else if (p.new_tokens > 0) out << fmt::format("  they begin as: {}\n", options_.init);
    if (p.padding_rows > 0)
      out << fmt::format("  {} rows at the end belong to no token\n", p.padding_rows);
    if (dry_run_) out << "\nNothing was written (--dry-run).\n";
    else
      out << "\nWritten to " << options_.out
          << ". Continue its pre-training on text that uses the new tokens.\n";
  }

  checkpoint::ResizeOptions options_ = {};
  bool dry_run_ = false;
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::ModelResize)
