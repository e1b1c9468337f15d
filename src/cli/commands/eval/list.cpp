// List the evaluation tasks: what each asks, whose protocol it follows, what it needs.
#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"
#include "eval/task_spec.h"

namespace helio::cli {
namespace {

class EvalList final : public Command {
 public:
  Card card() const override { return {.examples = {"helio eval list"}}; }
  void describe(Fields&) override {}

  int run(Context& context) override {
    OrderedJson all = OrderedJson::array();
    for (const auto& file : eval::task_files()) {
      const auto task = eval::find_task(file.name);
      const std::string protocol = task.reproduces.protocol.empty()
                                       ? "our own"
                                       : task.reproduces.protocol + " " + task.reproduces.version;
      if (context.json)
        all.push_back({{"name", task.name},
                       {"about", task.about},
                       {"mode", task.mode},
                       {"needs", task.needs},
                       {"protocol", protocol},
                       {"metrics", task.metrics},
                       {"main_metric", task.main_metric}});
      else
        context.out << fmt::format("{:<19} {}\n{:<19} {}; {}; {}\n", task.name, task.about, "",
                                   task.mode == "group"
                                       ? fmt::format("{}", fmt::join(task.members, " "))
                                       : "needs --" + task.needs,
                                   task.mode == "group" ? "a group" : task.main_metric, protocol);
    }
    if (context.json) context.out << compact({{"tasks", all}}) << "\n";
    return 0;
  }
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::EvalList)
