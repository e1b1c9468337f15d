// Start a training command as several processes of this machine that train one model together.
#include <fmt/format.h>

#include <cstring>
#include <iostream>

#include "cli/command.h"
#include "core/error.h"
#include "core/fs.h"
#include "jobs/ranks.h"

namespace helio::cli {
namespace {

class LaunchCommand final : public Command {
 public:
  Card card() const override {
    return {.positional = {"command"},
            .required = {"n", "command"},
            .examples = {"helio launch -n 2 -- helio pretrain workspace/tokens/tokens --tokenizer "
                         "workspace/tokenizers/tokenizer --out workspace/models/base",
                         "helio launch -n 4 --output all -- helio sft workspace/models/base "
                         "chats.jsonl --out workspace/models/sft --train.shard optimizer"}};
  }

  void describe(Fields& f) override {
    f("n", processes_, "Processes; each takes its share of every step and of the cores.",
      between(1, 1024));
    f("output", output_,
      "Whose lines are shown: those of the first process, or all, each with its rank.",
      one_of({"first", "all"}));
    f("command", words_, "After --: the command, as it is for one process.");
  }

  int run(Context& context) override {
    if (words_.front() == "helio") words_.front() = context.program;
    const auto show = [&](int64_t rank, const std::string& line) {
      if (output_ == "all") std::cerr << fmt::format("[rank {}] {}\n", rank, line);
      else if (rank == 0) std::cerr << line << "\n";
      std::cerr.flush();
    };
    const auto result = jobs::run_ranks({.argv = words_, .count = processes_}, show, context.stop);
    if (result.failed_rank >= 0) explain(context, result);
    return result.exit_code;
  }

 private:
  void explain(Context& context, const jobs::RanksResult& result) const {
    std::string what = result.signal ? fmt::format("was killed by signal {} ({})", result.signal,
                                                   strsignal(result.signal))
                                     : fmt::format("failed (exit code {})", result.exit_code);
    if (result.exit_code == 127 && result.last_error.empty())
      what = "could not be started: " + words_.front();
    const std::string message =
        fmt::format("rank {} of {} {}{}{}", result.failed_rank, processes_, what,
                    result.last_error.empty() ? "" : "; its last words: ", result.last_error);
    // What one process refuses at once, all do: there is nothing to go on from.
    const bool ran = result.signal || result.exit_code == exit_code(ErrorKind::failed) ||
                     result.exit_code == exit_code(ErrorKind::memory);
    const std::string hint =
        ran ? "all processes were ended; the last checkpoint stays: go on with --resume"
            : "all processes were ended";
    std::cerr << "helio launch: " << message << "\n  hint: " << hint << "\n";
    if (context.json)
      context.out << compact({{"error",
                               {{"message", message},
                                {"hint", hint},
                                {"rank", result.failed_rank},
                                {"exit_code", result.exit_code}}}})
                  << "\n";
  }

  int64_t processes_ = 0;
  std::string output_ = "first";
  std::vector<std::string> words_ = {};
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::LaunchCommand)
