// Runs a recipe: only what changed, in order, each stage a process; crash-safe.
#pragma once

#include <string>
#include <vector>

#include "core/monitor.h"
#include "jobs/recipe.h"

namespace helio::jobs {

enum class Unfinished { refuse, resume, restart };  // what to do with a stage that was cut off

struct RunOptions {
  Unfinished unfinished = Unfinished::refuse;
  std::vector<std::string> only = {};  // run up to and including these stages; empty: all
  std::string program = {};            // path of helio, to start stages with
};

// Why a stage will (or will not) run.
struct StagePlan {
  const Stage* stage = nullptr;
  enum class Status { up_to_date, to_run, unfinished } status = Status::to_run;
  std::string why =
      {};  // "never run", "option train.lr changed", "its code changed", "lots changed"
};

// What running would do now. Inputs that earlier stages would change count as changed.
std::vector<StagePlan> plan_run(const Recipe& recipe, const RunOptions& options);

struct StageOutcome {
  std::string name = {}, kind = {};
  bool ran = false;
  double seconds = 0;  // of the run that made it, also when it is up to date
  int64_t peak_rss = 0;
  std::string content = {};
};

struct RunOutcome {
  std::vector<StageOutcome> stages = {};
  double seconds = 0;
};

// Throws what the stage that failed means: its exit code decides the kind.
RunOutcome run_recipe(const Recipe& recipe, const RunOptions& options, Monitor& monitor,
                      const StopRequest& stop);

}  // namespace helio::jobs
