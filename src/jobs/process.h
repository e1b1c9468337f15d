// Starting a stage as a process that dies with us and takes our signals.
#pragma once

#include <string>
#include <vector>

#include "core/fs.h"
#include "core/monitor.h"

namespace helio::jobs {

struct ProcessResult {
  int exit_code = 0;  // 128 + signal when killed by one
  double seconds = 0;
  int64_t peak_rss = 0;  // bytes
};

// Runs argv[0] with its stdout in a file and our stderr; waits. When `stop` is raised the process
// gets SIGTERM and is waited for. It is killed if we die.
ProcessResult run_process(const std::vector<std::string>& argv, const fs::path& stdout_file,
                          const StopRequest& stop);

// Holds a workspace for one run at a time (flock): freed by the kernel however we end.
class WorkspaceLock {
 public:
  explicit WorkspaceLock(const fs::path& file);
  ~WorkspaceLock();
  WorkspaceLock(const WorkspaceLock&) = delete;
  WorkspaceLock& operator=(const WorkspaceLock&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace helio::jobs
