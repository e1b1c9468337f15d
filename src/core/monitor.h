// How library code tells a person what it is doing without knowing about terminals.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace helio {

class Monitor {
 public:
  virtual ~Monitor() = default;
  // Begins a measured activity: `total` in `unit` ("documents", "steps", "bytes"); 0 = unknown.
  virtual void begin(std::string_view what, int64_t total, std::string_view unit) = 0;
  // So much is done; `detail` is shown beside rate and ETA ("loss 2.31").
  virtual void at(int64_t done, std::string_view detail = {}) = 0;
  virtual void end(std::string_view summary = {}) = 0;
  virtual void note(std::string_view line) = 0;
  virtual void warn(std::string_view line) = 0;
};

// Says nothing: for tests and libraries used alone.
class SilentMonitor final : public Monitor {
 public:
  void begin(std::string_view, int64_t, std::string_view) override {}
  void at(int64_t, std::string_view) override {}
  void end(std::string_view) override {}
  void note(std::string_view) override {}
  void warn(std::string_view) override {}
};

// Asked to stop (SIGINT, SIGTERM)? Long work polls this between items, saves, and throws
// Error{interrupted} or returns.
class StopRequest {
 public:
  bool raised() const { return raised_.load(std::memory_order_relaxed); }
  void raise() { raised_.store(true, std::memory_order_relaxed); }
  // Throws Error{interrupted} when raised.
  void check() const;

 private:
  std::atomic<bool> raised_ = false;
};

}  // namespace helio
