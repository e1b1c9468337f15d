#include "jobs/process.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>

#include "core/error.h"

namespace helio::jobs {

ProcessResult run_process(const std::vector<std::string>& argv, const fs::path& stdout_file,
                          const StopRequest& stop) {
  make_dirs(stdout_file.parent_path());
  const auto started = std::chrono::steady_clock::now();
  std::vector<char*> words;
  for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int out = open(stdout_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (out < 0) throw system_error("cannot write '" + stdout_file.string() + "'", errno);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) {
    const int problem = errno;
    close(out);
    throw system_error("cannot start " + argv[0], problem);
  }
  if (child == 0) {
    // Only async-signal-safe calls between fork and exec.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    dup2(out, 1);
    execv(words[0], words.data());
    _exit(127);
  }
  close(out);
  bool told = false;
  int status = 0;
  struct rusage usage = {};
  for (;;) {
    const pid_t done = wait4(child, &status, WNOHANG, &usage);
    if (done == child) break;
    if (done < 0 && errno != EINTR) throw system_error("cannot wait for " + argv[0], errno);
    if (stop.raised() && !told) {
      kill(child, SIGTERM);
      told = true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  ProcessResult result;
  result.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  result.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  result.peak_rss = int64_t(usage.ru_maxrss) * 1024;
  return result;
}

WorkspaceLock::WorkspaceLock(const fs::path& file) {
  make_dirs(file.parent_path());
  fd_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) throw system_error("cannot lock '" + file.string() + "'", errno);
  if (flock(fd_, LOCK_EX | LOCK_NB)) {
    close(fd_);
    throw Error(ErrorKind::failed, "another helio run is at work in this workspace")
        .with_hint("wait for it to end, or give this one its own --workspace");
  }
}

WorkspaceLock::~WorkspaceLock() { close(fd_); }

}  // namespace helio::jobs
