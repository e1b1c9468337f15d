// One exception type for everything that ends a command. Outcomes that are expected for single
// items (a dropped document, an unparsable answer) are values instead, counted and reported.
#pragma once

#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helio {

// What the user can do about it. Decides the exit code of the process (see exit_code).
enum class ErrorKind {
  failed,       // 1: something went wrong while running
  usage,        // 2: the command line is wrong
  invalid,      // 3: a recipe, option, file or checkpoint is not what it must be
  not_found,    // 4: a file, model, task or artefact does not exist
  check,        // 5: a check or threshold did not hold
  memory,       // 6: out of memory
  interrupted,  // 75: stopped by a signal; the work so far is saved and can be resumed
  internal,     // 1: a bug in helio
};

class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message,
        std::source_location where = std::source_location::current());

  // Adds one "while ..." line. Returns *this so that a catch block can add what it knows, rethrow.
  Error& add_context(std::string line);
  // Says what to do next: a command to run, a key to set, a file to look at.
  Error& with_hint(std::string hint);

  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }
  const std::vector<std::string>& context() const { return context_; }
  const char* what() const noexcept override { return rendered_.c_str(); }

 private:
  void render();

  ErrorKind kind_;
  std::string message_, hint_, rendered_;
  std::vector<std::string> context_;
  std::source_location where_;
};

// The process exit code for an error of this kind.
int exit_code(ErrorKind kind);

// Runs body; an Error that leaves it carries `line()` as context. `line` runs only on failure.
template <class Line, class Body>
decltype(auto) in_context(Line&& line, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (Error& error) {
    error.add_context(line());
    throw;
  }
}

// An Error from errno: "cannot open 'x': No such file or directory". ENOENT gives not_found.
Error system_error(std::string what, int errno_value,
                   std::source_location where = std::source_location::current());

// A broken promise inside helio. Never reachable from user input.
#define HELIO_CHECK(condition, message)                                         \
  do {                                                                          \
    if (!(condition))                                                           \
      throw ::helio::Error(::helio::ErrorKind::internal,                        \
                           std::string("internal check failed: ") + (message)); \
  } while (false)

}  // namespace helio
