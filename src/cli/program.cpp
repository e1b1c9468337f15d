// Finds the command, reads its options, runs it; the one place that prints errors and knows exit
// codes.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <map>
#include <new>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/version.h"

namespace helio::cli {
namespace {

// Signals have no other way in than a global; everything else gets it by reference.
StopRequest stop_request;
volatile std::sig_atomic_t stop_signal = 0;

volatile std::sig_atomic_t stop_second = 0;  // when the first signal came, in seconds

void on_signal(int signal) {
  struct timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (!stop_signal) {
    stop_signal = signal;
    stop_second = static_cast<std::sig_atomic_t>(now.tv_sec);
    stop_request.raise();
  } else if (now.tv_sec - stop_second >= 2) {
    // A second Ctrl-C means now. One at once is the same one: a terminal tells the whole process
    // group, and helio run tells its stage again.
    _exit(128 + signal);
  }
}

void catch_signals() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file-size limit gives EFBIG from write, not a kill
}

std::string own_path(const char* argv0) {
  std::error_code problem;
  const auto path = fs::read_symlink("/proc/self/exe", problem);
  return problem ? std::string(argv0) : path.string();
}

// The longest command name that the words begin with.
const CommandEntry* match(const std::vector<std::string>& words, size_t& used) {
  const CommandEntry* best = nullptr;
  for (const auto& entry : commands()) {
    std::vector<std::string> name;
    for (size_t begin = 0; begin <= entry.name.size();) {
      const size_t end = std::min(entry.name.find(' ', begin), entry.name.size());
      name.push_back(entry.name.substr(begin, end - begin));
      begin = end + 1;
    }
    if (name.size() > words.size() || !std::equal(name.begin(), name.end(), words.begin()))
      continue;
    if (!best || name.size() > used) {
      best = &entry;
      used = name.size();
    }
  }
  return best;
}

void list_commands(std::ostream& out, const std::string& prefix) {
  for (const auto& entry : commands())
    if (prefix.empty() || entry.name.starts_with(prefix + " "))
      out << fmt::format("  {:<20} {}\n", entry.name, entry.summary);
}

int top_help(std::ostream& out) {
  out << "helio " << version() << ": from raw text to an aligned, evaluated language model.\n\n"
      << "Usage: helio COMMAND [flags]      helio COMMAND --help\n\nCommands:\n";
  list_commands(out, "");
  out << "\nStart here: helio run recipes/solar-mini.yaml --dry-run\n"
      << "Exit codes: 0 ok, 1 failed, 2 usage, 3 invalid recipe or data, 4 not found, 5 check "
         "failed,\n"
      << "            6 out of memory, 75 interrupted but resumable, 130/143 stopped by a "
         "signal.\n";
  return 0;
}

int unknown(const std::vector<std::string>& words) {
  bool group = false;
  for (const auto& entry : commands()) group = group || entry.name.starts_with(words[0] + " ");
  if (group && (words.size() == 1 || words[1].starts_with("-"))) {
    const bool asked = words.size() > 1 && (words[1] == "--help" || words[1] == "-h");
    std::ostream& out = asked ? std::cout : std::cerr;
    out << "helio " << words[0] << " has these commands:\n";
    list_commands(out, words[0]);
    return asked ? 0 : 2;
  }
  const std::string given = group ? words[0] + " " + words[1] : words[0];
  std::vector<std::string> names;
  for (const auto& entry : commands()) {
    names.push_back(entry.name);
    names.push_back(entry.name.substr(0, entry.name.find(' ')));
  }
  const std::string near = nearest(given, names);
  std::cerr << "helio: no command '" << given << "'\n  hint: "
            << (near.empty() ? "helio --help lists them" : "did you mean 'helio " + near + "'?")
            << "\n";
  return 2;
}

int start_engine(const std::string& self, char** argv) {
  const auto engine = fs::path(self).parent_path() / "helio-engine";
  if (access(engine.c_str(), X_OK) != 0) {
    std::cerr << "helio: this command needs helio-engine, which is not beside " << self
              << "\n  hint: build it (HELIO_TORCH=ON) or install it in the same folder\n";
    return 4;
  }
  argv[0] = const_cast<char*>(engine.c_str());
  execv(engine.c_str(), argv);
  std::cerr << "helio: cannot start " << engine.string() << ": "
            << system_error("exec", errno).message() << "\n";
  return 1;
}

void print_error(const std::string& name, const Error& error, Context& context) {
  std::cerr << "helio" << (name.empty() ? "" : " " + name) << ": " << error.what() << "\n";
  if (context.json)
    context.out << compact({{"error",
                             {{"message", error.message()},
                              {"hint", error.hint()},
                              {"context", error.context()},
                              {"exit_code", exit_code(error.kind())}}}})
                << "\n";
}

int run_command(const CommandEntry& entry, const std::vector<std::string>& words,
                const std::string& self) {
  const auto command = entry.make();
  SilentMonitor silent;
  Context context{
      .monitor = silent, .stop = stop_request, .out = std::cout, .json = false, .program = self};
  context.json = std::find(words.begin(), words.end(), "--json") != words.end();
  try {
    command->prepare(words);
    const auto fields = options_fields([&](Fields& f) { command->describe(f); });
    const auto arguments = parse_arguments(words, fields, command->card());
    if (arguments.common.help) {
      std::cout << help_text("helio", entry.name, entry.summary, *command);
      return 0;
    }
    context.json = arguments.common.json;
    const auto monitor =
        make_terminal_monitor(arguments.common.quiet ? Verbosity::quiet : Verbosity::normal);
    Context live{.monitor = *monitor,
                 .stop = stop_request,
                 .out = std::cout,
                 .json = context.json,
                 .program = self};
    read_command(*command, arguments);
    const int code = command->run(live);
    std::cout.flush();
    if (!std::cout) throw Error(ErrorKind::failed, "cannot write to standard output");
    return code;
  } catch (const Error& error) {
    print_error(entry.name, error, context);
    if (error.kind() == ErrorKind::interrupted || !stop_signal) return exit_code(error.kind());
    return 128 + stop_signal;
  } catch (const std::bad_alloc&) {
    print_error(entry.name,
                Error(ErrorKind::memory, "out of memory")
                    .with_hint("use a smaller batch, fewer threads, or a machine with more memory"),
                context);
    return exit_code(ErrorKind::memory);
  } catch (const std::exception& error) {
    print_error(entry.name, Error(ErrorKind::failed, error.what()), context);
    return exit_code(ErrorKind::failed);
  }
}

}  // namespace

int run_program(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  catch_signals();
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty()) {
    top_help(std::cerr);
    return 2;
  }
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") return top_help(std::cout);
  if (words[0] == "--version") {
    std::cout << "helio " << version() << "\n";
    return 0;
  }
  size_t used = 0;
  const CommandEntry* entry = match(words, used);
  if (!entry) return unknown(words);
  const std::string self = own_path(argv[0]);
  if (!entry->make) return start_engine(self, argv);
  return run_command(*entry, {words.begin() + static_cast<ptrdiff_t>(used), words.end()}, self);
}

}  // namespace helio::cli
