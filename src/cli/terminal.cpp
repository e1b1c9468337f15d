#include "cli/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>

namespace helio::cli {
namespace {

using Clock = std::chrono::steady_clock;

class TerminalMonitor final : public Monitor {
 public:
  explicit TerminalMonitor(Verbosity verbosity)
      : quiet_(verbosity == Verbosity::quiet), live_(isatty(2) && !std::getenv("HELIO_PLAIN")) {}

  void begin(std::string_view what, int64_t total, std::string_view unit) override {
    const std::lock_guard lock(mutex_);
    what_ = what;
    unit_ = unit;
    total_ = total;
    done_ = first_ = 0;
    started_ = last_shown_ = Clock::now();
    active_ = true;
    first_known_ = false;
  }

  void at(int64_t done, std::string_view detail) override {
    const std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    // Rate and ETA count from the first report: what came before it (loading, a first validation,
    // the steps of a run that is resumed) says nothing of the pace.
    if (!first_known_) {
      first_ = done;
      first_at_ = now;
      first_known_ = true;
    }
    done_ = done;
    detail_ = detail;
    const double since = std::chrono::duration<double>(now - last_shown_).count();
    if (since < (live_ ? 0.1 : 5.0)) return;
    last_shown_ = now;
    show(live_ ? "\r\033[K" : "", live_ ? "" : "\n");
  }

  void end(std::string_view summary) override {
    const std::lock_guard lock(mutex_);
    if (!active_) return;
    active_ = false;
    if (quiet_) return;
    const double seconds = elapsed();
    std::string line = fmt::format("{}{}", live_ ? "\r\033[K" : "", what_);
    if (done_ > 0) {
      line += fmt::format(" · {} {}", count_text(double(done_)), unit_);
      const double rate = pace();
      if (rate > 0) line += fmt::format(" · {}/s", count_text(rate));
    }
    line += " · " + duration_text(seconds);
    if (!summary.empty()) line += fmt::format(" · {}", summary);
    std::fprintf(stderr, "%s\n", line.c_str());
  }

  void note(std::string_view line) override {
    const std::lock_guard lock(mutex_);
    if (!quiet_) print_line(std::string(line));
  }

  void warn(std::string_view line) override {
    const std::lock_guard lock(mutex_);
    print_line(fmt::format("warning: {}", line));
  }

 private:
  double elapsed() const { return std::chrono::duration<double>(Clock::now() - started_).count(); }

  double pace() const {
    const double seconds = std::chrono::duration<double>(Clock::now() - first_at_).count();
    return first_known_ && done_ > first_ && seconds > 0.01 ? double(done_ - first_) / seconds : 0;
  }

  void print_line(const std::string& line) {
    if (live_ && active_) std::fprintf(stderr, "\r\033[K");
    std::fprintf(stderr, "%s\n", line.c_str());
  }

  void show(const char* before, const char* after) {
    if (quiet_) return;
    const double rate = pace();
    std::string line = fmt::format("{}{} ", before, what_);
    if (total_ > 0)
      line += fmt::format("{}/{} {} ({}%)", count_text(double(done_)), count_text(double(total_)),
                          unit_, 100 * done_ / total_);
    else line += fmt::format("{} {}", count_text(double(done_)), unit_);
    if (rate > 0) line += fmt::format(" · {}/s", count_text(rate));
    if (rate > 0 && total_ > done_)
      line += fmt::format(" · ETA {}", duration_text(double(total_ - done_) / rate));
    if (!detail_.empty()) line += fmt::format(" · {}", detail_);
    std::fprintf(stderr, "%s%s", line.c_str(), after);
    std::fflush(stderr);
  }

  const bool quiet_, live_;
  std::mutex mutex_;
  std::string what_, unit_, detail_;
  int64_t total_ = 0, done_ = 0, first_ = 0;
  bool active_ = false, first_known_ = false;
  Clock::time_point started_ = {}, first_at_ = {}, last_shown_ = {};
};

}  // namespace

std::unique_ptr<Monitor> make_terminal_monitor(Verbosity verbosity) {
  return std::make_unique<TerminalMonitor>(verbosity);
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  if (seconds < 10) return fmt::format("{:.1f}s", seconds);
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3600) return fmt::format("{}m{:02d}s", whole / 60, whole % 60);
  return fmt::format("{}h{:02d}m", whole / 3600, whole / 60 % 60);
}

std::string count_text(double value) {
  const double size = value < 0 ? -value : value;
  if (size >= 1e9) return fmt::format("{:.2f}G", value / 1e9);
  if (size >= 1e6) return fmt::format("{:.2f}M", value / 1e6);
  if (size >= 1e4) return fmt::format("{:.1f}k", value / 1e3);
  if (size >= 100 || value == static_cast<double>(static_cast<int64_t>(value)))
    return fmt::format("{:.0f}", value);
  return fmt::format("{:.2f}", value);
}

}  // namespace helio::cli
