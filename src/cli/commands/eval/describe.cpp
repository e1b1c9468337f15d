// Show a task: its file, and what it stands for.
#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"
#include "core/options.h"
#include "eval/task_spec.h"

namespace helio::cli {
namespace {

class EvalDescribe final : public Command {
 public:
  Card card() const override {
    return {.positional = {"task"},
            .required = {"task"},
            .examples = {"helio eval describe mmlu", "helio eval describe my.task.yaml --json"}};
  }
  void describe(Fields& f) override {
    f("task", task_, "A task's name, or the path of a .task.yaml.");
  }

  int run(Context& context) override {
    auto task = eval::find_task(task_);
    if (context.json) {
      OrderedJson out = {{"name", task.name}};
      out.update(options_json(helio::describe(task)));
      context.out << compact(out) << "\n";
    } else {
      context.out << fmt::format("# tasks/{}.task.yaml\n{}", task.name, eval::task_yaml(task_));
    }
    return 0;
  }

 private:
  std::string task_ = {};
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::EvalDescribe)
