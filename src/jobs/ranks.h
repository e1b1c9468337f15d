// Several copies of one program on this machine, as the processes of one training run.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/monitor.h"

namespace helio::jobs {

struct RanksOptions {
  std::vector<std::string> argv = {};  // argv[0] is looked for in PATH
  int64_t count = 1;
  // Of the others when one has failed: from SIGTERM to SIGKILL.
  std::chrono::milliseconds grace = std::chrono::seconds(5);
};

struct RanksResult {
  int exit_code = 0;            // of the rank that failed first; 128 + signal when killed by one
  int64_t failed_rank = -1;     // -1: none
  int signal = 0;               // that killed it
  std::string last_error = {};  // the last line of its stderr that says what is wrong
};

// A line of a rank: of its stderr, or (of all but rank 0, whose stdout is ours) its stdout; without
// the end of line.
using RankLine = std::function<void(int64_t rank, const std::string& line)>;

// Runs them with RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR and MASTER_PORT set (a
// free port of the loopback) and waits for all. Rank 0 has our stdin and stdout. When `stop` is
// raised all get SIGTERM; when one fails, the others do, and SIGKILL later. They die when we die.
RanksResult run_ranks(const RanksOptions& options, const RankLine& line, const StopRequest& stop);

}  // namespace helio::jobs
