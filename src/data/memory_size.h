// Amounts of memory as options give them.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>

#include "core/error.h"

namespace helio::data {

// "512M", "2G" (or MiB, GiB) as bytes. Error{usage} on anything else.
inline uint64_t parse_memory(const std::string& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string unit(end, text.data() + text.size());
  const int shift = unit == "G" || unit == "GiB" ? 30 : unit == "M" || unit == "MiB" ? 20 : -1;
  if (error != std::errc() || shift < 0 || value == 0 || value > (uint64_t(1) << 20))
    throw Error(ErrorKind::usage, "'" + text + "' is no amount of memory")
        .with_hint("write it like 512M or 2G");
  return value << shift;
}

}  // namespace helio::data
