#include "serve/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace helio::serve {

void Histogram::observe(double seconds) {
  const auto place = std::lower_bound(kBounds.begin(), kBounds.end(), seconds) - kBounds.begin();
  counts_[static_cast<size_t>(place)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(seconds, std::memory_order_relaxed);
}

void Histogram::write(std::string& out, const std::string& name, const char* help) const {
  const auto to = std::back_inserter(out);
  fmt::format_to(to, "# HELP {0} {1}\n# TYPE {0} histogram\n", name, help);
  uint64_t sum = 0;
  for (size_t i = 0; i < kBounds.size(); ++i) {
    sum += counts_[i].load(std::memory_order_relaxed);
    fmt::format_to(to, "{}_bucket{{le=\"{}\"}} {}\n", name, kBounds[i], sum);
  }
  sum += counts_.back().load(std::memory_order_relaxed);
  fmt::format_to(to, "{0}_bucket{{le=\"+Inf\"}} {1}\n{0}_sum {2}\n{0}_count {1}\n", name, sum,
                 sum_.load(std::memory_order_relaxed));
}

void ServeMetrics::count_request(const std::string& route, int status) {
  const std::lock_guard lock(mutex_);
  ++requests_[{route, status}];
}

std::string ServeMetrics::text() const {
  std::string out;
  const auto to = std::back_inserter(out);
  out += "# HELP helio_requests_total Requests answered, by route and status.\n"
         "# TYPE helio_requests_total counter\n";
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, count] : requests_)
      fmt::format_to(to, "helio_requests_total{{route=\"{}\",status=\"{}\"}} {}\n", key.first,
                     key.second, count);
  }
  fmt::format_to(to,
                 "# HELP helio_requests_answering Requests whose answers are in work.\n"
                 "# TYPE helio_requests_answering gauge\nhelio_requests_answering {}\n"
                 "# HELP helio_disconnects_total Clients that left before their answer ended.\n"
                 "# TYPE helio_disconnects_total counter\nhelio_disconnects_total {}\n",
                 answering.load(), disconnects.load());
  first_token.write(out, "helio_time_to_first_token_seconds", "From request to first token.");
  between_tokens.write(out, "helio_inter_token_seconds", "Between two tokens of an answer.");
  whole_answer.write(out, "helio_request_seconds", "From request to the end of its answer.");
  return out;
}

}  // namespace helio::serve
