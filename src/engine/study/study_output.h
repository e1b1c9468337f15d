// What the study commands do around their matrix: show what it costs, or run it and print tables.
#pragma once

#include <functional>

#include "cli/command.h"
#include "core/fs.h"
#include "train/study/study.h"

namespace helio::engine {

// `make` lays out the matrix with its data in the folder it is given: OUT/data, or for a dry run a
// temporary folder that is removed again. Returns the exit code.
int run_or_plan(cli::Context& context, const std::string& out, bool dry_run,
                const std::function<train::StudyPlan(const fs::path& data)>& make);

}  // namespace helio::engine
