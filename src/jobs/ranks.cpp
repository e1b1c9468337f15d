#include "jobs/ranks.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <optional>

#include "core/error.h"

extern char** environ;

namespace helio::jobs {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kInterrupted = 75;
constexpr size_t kLongestLine = 1 << 16;  // longer ones are cut into several
// One that was killed is at fault even where another's end is seen first: this long is waited.
constexpr std::chrono::milliseconds kVerdict{300};

int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw system_error("cannot open a socket", errno);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  const bool bound = bind(fd, plain, size) == 0 && getsockname(fd, plain, &size) == 0;
  const int problem = errno;
  close(fd);
  if (!bound) throw system_error("cannot find a free port", problem);
  return ntohs(address.sin_port);
}

// A pipe of a rank and what has come through it of an unfinished line.
struct Stream {
  int fd = -1;
  std::string rest = {};
};

struct Rank {
  pid_t pid = -1;
  Stream err = {}, out = {};
  std::optional<int> status = {};
  std::string last_line = {}, last_error = {};

  bool failed() const {
    return status && !(WIFEXITED(*status) &&
                       (WEXITSTATUS(*status) == 0 || WEXITSTATUS(*status) == kInterrupted));
  }
};

std::vector<std::string> environment(int64_t rank, int64_t count, int port) {
  const std::vector<std::pair<std::string, std::string>> ours = {
      {"RANK", std::to_string(rank)},
      {"WORLD_SIZE", std::to_string(count)},
      {"LOCAL_RANK", std::to_string(rank)},
      {"LOCAL_WORLD_SIZE", std::to_string(count)},
      {"MASTER_ADDR", "127.0.0.1"},
      {"MASTER_PORT", std::to_string(port)},
      {"TORCHELASTIC_USE_AGENT_STORE", "False"}};
  std::vector<std::string> all;
  for (char** word = environ; *word; ++word) {
    const std::string text = *word, name = text.substr(0, text.find('='));
    if (std::none_of(ours.begin(), ours.end(), [&](const auto& own) { return own.first == name; }))
      all.push_back(text);
  }
  for (const auto& [name, value] : ours) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> list;
  for (const auto& word : words) list.push_back(const_cast<char*>(word.c_str()));
  list.push_back(nullptr);
  return list;
}

class Group {
 public:
  Group(const RanksOptions& options, const RankLine& line)
      : options_(options), line_(line), ranks_(static_cast<size_t>(options.count)) {}

  ~Group() {
    for (Rank& rank : ranks_) {
      if (rank.pid > 0 && !rank.status) {
        kill(rank.pid, SIGKILL);
        waitpid(rank.pid, nullptr, 0);
      }
      for (Stream* stream : {&rank.err, &rank.out})
        if (stream->fd >= 0) close(stream->fd);
    }
  }

  void start(int port) {
    const auto words = pointers(options_.argv);
    for (size_t i = 0; i < ranks_.size(); ++i) {
      const auto env = environment(static_cast<int64_t>(i), options_.count, port);
      const auto variables = pointers(env);
      int err[2] = {-1, -1}, out[2] = {-1, -1};
      if (pipe2(err, O_CLOEXEC) != 0) throw system_error("cannot make a pipe", errno);
      ranks_[i].err.fd = err[0];
      if (i > 0 && pipe2(out, O_CLOEXEC) != 0) {
        const int problem = errno;
        close(err[1]);
        throw system_error("cannot make a pipe", problem);
      }
      ranks_[i].out.fd = out[0];
      const pid_t parent = getpid();
      const pid_t child = fork();
      if (child == 0) {
        // Only async-signal-safe calls between fork and exec.
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(1);
        dup2(err[1], 2);
        if (i > 0) {
          dup2(out[1], 1);
          const int nothing = open("/dev/null", O_RDONLY);
          if (nothing >= 0) dup2(nothing, 0);
        }
        execvpe(words[0], words.data(), variables.data());
        _exit(127);
      }
      const int problem = errno;
      close(err[1]);
      if (i > 0) close(out[1]);
      if (child < 0) throw system_error("cannot start " + options_.argv[0], problem);
      ranks_[i].pid = child;
      for (Stream* stream : {&ranks_[i].err, &ranks_[i].out})
        if (stream->fd >= 0) fcntl(stream->fd, F_SETFL, O_NONBLOCK);
    }
  }

  // What has come through the pipes within 20 ms is passed on.
  void listen() {
    std::vector<pollfd> waiting;
    for (const Rank& rank : ranks_)
      for (const Stream* stream : {&rank.err, &rank.out})
        if (stream->fd >= 0) waiting.push_back({stream->fd, POLLIN, 0});
    poll(waiting.data(), waiting.size(), 20);
    for (size_t i = 0; i < ranks_.size(); ++i) {
      read_all(i, ranks_[i].err, true);
      read_all(i, ranks_[i].out, false);
    }
  }

  // Ends that have come; the index of the first failure among them, if there is one.
  std::optional<size_t> reap() {
    std::optional<size_t> failed;
    for (size_t i = 0; i < ranks_.size(); ++i) {
      Rank& rank = ranks_[i];
      int status = 0;
      if (rank.status || waitpid(rank.pid, &status, WNOHANG) != rank.pid) continue;
      rank.status = status;
      if (rank.failed() && (!failed || (WIFSIGNALED(status) && !killed(*failed)))) failed = i;
    }
    return failed;
  }

  bool killed(size_t rank) const {
    return ranks_[rank].status && WIFSIGNALED(*ranks_[rank].status);
  }
  bool all_ended() const {
    return std::all_of(ranks_.begin(), ranks_.end(), [](const Rank& r) { return r.status; });
  }
  void tell(int signal) {
    for (const Rank& rank : ranks_)
      if (!rank.status) kill(rank.pid, signal);
  }

  RanksResult result(std::optional<size_t> failed) {
    for (int i = 0; i < 3; ++i) listen();  // what the pipes still hold
    if (!failed) {
      // Stopped on request, and saved: one rank's word holds for all.
      for (const Rank& rank : ranks_)
        if (WIFEXITED(*rank.status) && WEXITSTATUS(*rank.status) == kInterrupted)
          return {.exit_code = kInterrupted};
      return {};
    }
    const Rank& rank = ranks_[*failed];
    const bool signalled = WIFSIGNALED(*rank.status);
    const int signal = signalled ? WTERMSIG(*rank.status) : 0;
    return {.exit_code = signalled ? 128 + signal : WEXITSTATUS(*rank.status),
            .failed_rank = static_cast<int64_t>(*failed),
            .signal = signal,
            .last_error = rank.last_error.empty() ? rank.last_line : rank.last_error};
  }

 private:
  void read_all(size_t rank, Stream& stream, bool is_error) {
    char buffer[1 << 14];
    while (stream.fd >= 0) {
      const ssize_t got = read(stream.fd, buffer, sizeof buffer);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (got <= 0) {
        close(stream.fd);
        stream.fd = -1;
        if (!stream.rest.empty()) pass(rank, stream.rest, is_error);
        return;
      }
      stream.rest.append(buffer, static_cast<size_t>(got));
      for (size_t end; (end = stream.rest.find('\n')) != std::string::npos ||
                       stream.rest.size() > kLongestLine;) {
        const bool whole = end != std::string::npos;
        pass(rank, stream.rest.substr(0, whole ? end : kLongestLine), is_error);
        stream.rest.erase(0, whole ? end + 1 : kLongestLine);
      }
    }
  }

  void pass(size_t rank, const std::string& line, bool is_error) {
    if (is_error && !line.empty()) {
      ranks_[rank].last_line = line;
      // "helio pretrain: what is wrong", with its "while" and hint lines after it, indented.
      if (line[0] != ' ') ranks_[rank].last_error = line;
    }
    line_(static_cast<int64_t>(rank), line);
  }

  const RanksOptions& options_;
  const RankLine& line_;
  std::vector<Rank> ranks_;
};

}  // namespace

RanksResult run_ranks(const RanksOptions& options, const RankLine& line, const StopRequest& stop) {
  Group group(options, line);
  group.start(free_port());
  std::optional<size_t> failed;
  std::optional<Clock::time_point> verdict, last;
  bool told = false;
  while (!group.all_ended()) {
    group.listen();
    const auto now = Clock::now();
    if (const auto found = group.reap(); found && (!failed || (verdict && now < *verdict))) {
      if (!failed) verdict = now + kVerdict;
      if (!failed || (group.killed(*found) && !group.killed(*failed))) failed = found;
    }
    if (stop.raised() && !told) {
      group.tell(SIGTERM);
      told = true;
    }
    if (failed && now >= *verdict && !last) {
      group.tell(SIGTERM);
      last = now + options.grace;
    }
    if (last && now >= *last) group.tell(SIGKILL);
  }
  return group.result(failed);
}

}  // namespace helio::jobs
