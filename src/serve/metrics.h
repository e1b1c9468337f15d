// What /metrics tells: counters and histograms in Prometheus' text form. Safe from any thread.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace helio::serve {

class Histogram {
 public:
  // Upper bounds in seconds: 1 ms to 60 s.
  static constexpr std::array<double, 14> kBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                     0.25,  0.5,    1,     2.5,  5,     10,   60};
  void observe(double seconds);
  void write(std::string& out, const std::string& name, const char* help) const;

 private:
  std::array<std::atomic<uint64_t>, kBounds.size() + 1> counts_ = {};
  std::atomic<double> sum_ = 0;
};

class ServeMetrics {
 public:
  void count_request(const std::string& route, int status);
  Histogram first_token = {}, between_tokens = {}, whole_answer = {};
  std::atomic<int64_t> answering = 0;
  std::atomic<uint64_t> disconnects = 0;
  // Everything but what engines say of themselves.
  std::string text() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, uint64_t> requests_ = {};
};

using Clock = std::chrono::steady_clock;
inline double seconds_between(Clock::time_point a, Clock::time_point b) {
  return std::chrono::duration<double>(b - a).count();
}

}  // namespace helio::serve
