// What pretrain, sft and align print: a plan for --dry-run, the result at the end.
#pragma once

#include "cli/command.h"
#include "core/error.h"
#include "core/json.h"
#include "train/trainer.h"

namespace helio::engine {

void print_plan(cli::Context& context, const OrderedJson& plan);
void print_summary(cli::Context& context, const std::string& out, const train::RunSummary& summary);

// Runs `body`; an interruption that does not say how to go on gets the hint.
template <class Body>
int stoppable(Body&& body) {
  try {
    return body();
  } catch (Error& error) {
    if (error.kind() == ErrorKind::interrupted && error.hint().empty())
      error.with_hint("go on:  the same command with --resume");
    throw;
  }
}

// What pretrain and sft do with their Run: its plan, or the run and its result. Of several
// processes one speaks.
template <class Run, class Options>
int run_or_show_plan(cli::Context& context, const Options& options, bool dry_run) {
  return stoppable([&] {
    Run run(options);
    const bool leads = train::distributed::placement().leads();
    if (!dry_run) {
      const auto summary = run.run(context.monitor, context.stop);
      if (leads) print_summary(context, options.out, summary);
    } else if (leads) {
      print_plan(context, run.plan());
    }
    return 0;
  });
}

}  // namespace helio::engine
