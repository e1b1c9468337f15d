// Bring benchmark data into a folder: what is there, where the rest comes from, import of a user's
// file.
#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"
#include "core/error.h"
#include "core/fs.h"
#include "eval/benchmark_import.h"
#include "eval/task_selection.h"

namespace helio::cli {
namespace {

class EvalFetch final : public Command {
 public:
  Card card() const override {
    return {.positional = {"task"},
            .required = {"benchmarks"},
            .examples = {
                "helio eval fetch --benchmarks benchmarks",
                "helio eval fetch hellaswag --benchmarks benchmarks",
                "helio eval fetch hellaswag --benchmarks benchmarks --from hellaswag_train.jsonl "
                "--split train"}};
  }
  void describe(Fields& f) override {
    f("task", task_, "A task or group; all when not given.");
    f.input("benchmarks", benchmarks_, "Folder of benchmark data; made when it is not there.");
    f.input("from", from_, "A file (.jsonl, .arrow; .gz, .zst), or a folder, to import from.");
    f("split", split_, "Which split a file is; of a folder, all that it has when not given.");
    f("accept_other", accept_other_, "Import data that is not what was published.");
  }

  int run(Context& context) override {
    if (from_.empty()) return show(context);
    if (task_.empty())
      throw Error(ErrorKind::usage, "which task is --from for?").with_hint("name one");
    const auto selection = eval::select_tasks({task_});
    const bool folder = fs::is_directory(from_);
    if (!folder && (split_.empty() || selection.tasks.size() != 1))
      throw Error(ErrorKind::usage, "a file is one split of one task")
          .with_hint("say which with --split");
    int64_t imported = 0;
    for (const auto& selected : selection.tasks)
      for (const auto& split :
           split_.empty() ? eval::splits_of(selected.spec) : std::vector<std::string>{split_})
        imported += import(selected.spec, split, folder && split_.empty(), context);
    if (imported == 0) throw Error(ErrorKind::not_found, "nothing of '" + task_ + "' was imported");
    return 0;
  }

 private:
  // Of a whole folder, splits that it lacks or that are there already are said and passed over.
  bool import(const eval::TaskSpec& spec, const std::string& split, bool lenient,
              Context& context) const {
    try {
      const auto file =
          eval::import_split(spec, from_, split, benchmarks_,
                             accept_other_ ? eval::OtherData::accept : eval::OtherData::refuse);
      context.out << file.string() << "\n";
      return true;
    } catch (const Error& error) {
      if (!lenient || error.kind() == ErrorKind::invalid) throw;
      context.monitor.note(spec.name + " " + split + ": " + error.what());
      return false;
    }
  }

  int show(Context& context) const {
    std::vector<std::string> names;
    if (!task_.empty()) names = {task_};
    else
      for (const auto& file : eval::task_files())
        if (eval::find_task(file.name).needs == "benchmarks") names.push_back(file.name);
    OrderedJson all = OrderedJson::array();
    eval::BenchmarkData data(benchmarks_);
    for (const auto& [spec, shots] : eval::select_tasks(names).tasks) {
      if (spec.needs != "benchmarks") continue;
      context.stop.check();
      OrderedJson splits = OrderedJson::array();
      bool lacks = false;
      std::string line;
      for (const auto& split : eval::splits_of(spec)) {
        const auto state = eval::state_of(spec, data, split);
        lacks = lacks || state.kind == eval::SplitState::Kind::missing;
        line += fmt::format("{}{}: {}", line.empty() ? "" : "; ", split, state.says);
        splits.push_back({{"split", split}, {"documents", state.rows}, {"state", state.says}});
      }
      all.push_back({{"task", spec.name},
                     {"licence", spec.data.licence},
                     {"official", spec.data.official},
                     {"splits", splits}});
      if (context.json) continue;
      context.out << fmt::format("{}: {}\n", spec.name, line);
      if (lacks)
        for (const auto& how : eval::how_to_fetch(spec)) context.out << "    " << how << "\n";
    }
    if (context.json) context.out << compact({{"tasks", all}}) << "\n";
    return 0;
  }

  std::string task_ = {}, benchmarks_ = {}, from_ = {}, split_ = {};
  bool accept_other_ = false;
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::EvalFetch)
