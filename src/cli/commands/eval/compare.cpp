// Compare two models item by item: differences with intervals, McNemar's test, the items that
// flipped.
#include "eval/compare.h"

#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"

namespace helio::cli {
namespace {

class EvalCompare final : public Command {
 public:
  Card card() const override {
    return {.positional = {"a", "b"},
            .required = {"a", "b"},
            .examples = {"helio eval compare evals/base evals/aligned",
                         "helio eval compare evals/all evals/all --model-a base --model-b aligned",
                         "helio eval compare evals/base evals/aligned --json"}};
  }
  void describe(Fields& f) override {
    f.input("a", a_, "Folder of an evaluation.");
    f.input("b", b_, "Folder of the other; may be the same.");
    f("model_a", model_a_, "Which model of it, when it has several.");
    f("model_b", model_b_, "Which model of the other.");
    f("resamples", options_.resamples, "Draws behind an interval.", between(100, 1000000));
    f("seed", options_.seed, "Seed of the draws.", at_least(0));
    f("flips", flips_, "Items shown that only one has right; --json has all.", at_least(0));
  }

  int run(Context& context) override {
    const auto all = eval::compare_evaluations({.folder = a_, .model = model_a_},
                                               {.folder = b_, .model = model_b_}, options_);
    if (context.json) {
      context.out << compact(all) << "\n";
      return 0;
    }
    context.out << fmt::format("A: {}\nB: {}\n", all.at("a").get<std::string>(),
                               all.at("b").get<std::string>());
    for (const auto& task : all.at("tasks")) show(task, context);
    return 0;
  }

 private:
  void show(const OrderedJson& task, Context& context) const {
    const std::string name = task.at("task");
    if (task.contains("not_compared")) {
      context.out << fmt::format("{}: — {}\n", name, task.at("not_compared").get<std::string>());
      return;
    }
    context.out << fmt::format(
        "{} ({}, {} items): A {:.4f}, B {:.4f}, B - A {:+.4f} [{:+.4f}, {:+.4f}]\n", name,
        task.at("metric").get<std::string>(), task.at("n").get<int64_t>(),
        task.at("a").get<double>(), task.at("b").get<double>(), task.at("difference").get<double>(),
        task.at("interval95")[0].get<double>(), task.at("interval95")[1].get<double>());
    if (!task.contains("mcnemar_p")) return;
    context.out << fmt::format("  only A right: {}{}; only B right: {}{}; McNemar p = {:.4g}\n",
                               task.at("only_a").size(), shown(task.at("only_a")),
                               task.at("only_b").size(), shown(task.at("only_b")),
                               task.at("mcnemar_p").get<double>());
  }

  std::string shown(const OrderedJson& docs) const {
    std::string out;
    for (size_t i = 0; i < docs.size() && static_cast<int64_t>(i) < flips_; ++i)
      out += (i ? ", " : " (") + docs[i].get<std::string>();
    if (out.empty()) return out;
    return out + (static_cast<int64_t>(docs.size()) > flips_ ? ", …)" : ")");
  }

  std::string a_ = {}, b_ = {}, model_a_ = {}, model_b_ = {};
  eval::CompareOptions options_ = {};
  int64_t flips_ = 5;
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::EvalCompare)
