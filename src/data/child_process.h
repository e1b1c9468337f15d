// A program of the user's that answers line by line: one line in, one line out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace helio::data {

class ChildProcess {
 public:
  // Runs /bin/sh -c command. Error{failed} when it cannot be started.
  explicit ChildProcess(std::string command);
  ~ChildProcess();  // closes its input and waits for it, a second at most, then kills it
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Sends a line and waits for the answer, both without "\n". Error{failed} when the program ended,
  // answered with more than `limit` bytes, or took longer than `seconds`.
  std::string ask(std::string_view line, double seconds, size_t limit = size_t(256) << 20);

 private:
  [[noreturn]] void fail(const std::string& what);
  std::string command_;
  std::string pending_ = {};
  int pid_ = -1, to_ = -1, from_ = -1;
};

}  // namespace helio::data
