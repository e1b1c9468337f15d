#include "data/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>

#include "core/error.h"

extern char** environ;

namespace helio::data {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

ChildProcess::ChildProcess(std::string command) : command_(std::move(command)) {
  // Socket pairs rather than pipes: sending to a program that ended must not raise SIGPIPE.
  int in[2], out[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) != 0 ||
      ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out) != 0)
    throw Error(ErrorKind::failed, "cannot start '" + command_ + "': " + std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[1], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  std::string shell = "/bin/sh", flag = "-c";
  char* const words[] = {shell.data(), flag.data(), command_.data(), nullptr};
  const int error = ::posix_spawn(&pid_, shell.c_str(), &actions, nullptr, words, environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(in[1]);
  ::close(out[1]);
  to_ = in[0], from_ = out[0];
  if (error != 0) {
    ::close(to_);
    ::close(from_);
    throw Error(ErrorKind::failed, "cannot start '" + command_ + "': " + std::strerror(error));
  }
  ::fcntl(to_, F_SETFL, O_NONBLOCK);
  ::fcntl(from_, F_SETFL, O_NONBLOCK);
}

ChildProcess::~ChildProcess() {
  ::close(to_);
  ::close(from_);
  for (int i = 0; i < 100; ++i) {
    if (::waitpid(pid_, nullptr, WNOHANG) != 0) return;
    ::usleep(10'000);
  }
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void ChildProcess::fail(const std::string& what) {
  throw Error(ErrorKind::failed, "'" + command_ + "' " + what)
      .with_hint("it must read one JSON object a line and answer each with one line, flushed");
}

std::string ChildProcess::ask(std::string_view line, double seconds, size_t limit) {
  const double until = now() + seconds;
  std::string message(line);
  message += '\n';
  std::string_view rest = message;
  size_t searched = 0;
  for (;;) {
    if (const size_t end = pending_.find('\n', searched); end != std::string::npos) {
      if (!rest.empty()) fail("answered before it had read the whole document");
      std::string answer = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return answer;
    }
    searched = pending_.size();
    if (pending_.size() > limit) fail(fmt::format("answered with more than {} bytes", limit));
    const double left = until - now();
    if (left <= 0) fail(fmt::format("gave no answer within {} s", seconds));
    pollfd wait[2] = {{from_, POLLIN, 0}, {to_, POLLOUT, 0}};
    if (::poll(wait, rest.empty() ? 1 : 2, int(left * 1000) + 1) < 0 && errno != EINTR)
      fail(std::string("cannot be talked to: ") + std::strerror(errno));
    if (wait[0].revents != 0) {
      char buffer[1 << 16];
      const ssize_t got = ::recv(from_, buffer, sizeof buffer, 0);
      if (got == 0) fail("ended without an answer");
      if (got > 0) pending_.append(buffer, size_t(got));
      else if (errno != EAGAIN && errno != EINTR) fail("ended without an answer");
    }
    if (!rest.empty() && wait[1].revents != 0) {
      const ssize_t sent = ::send(to_, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent > 0) rest.remove_prefix(size_t(sent));
      else if (sent < 0 && errno != EAGAIN && errno != EINTR) fail("ended without an answer");
    }
  }
}

}  // namespace helio::data
