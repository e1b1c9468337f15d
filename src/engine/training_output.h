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

}  // namespace helio::engine
