// What readers of lines share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "data/read/encoding.h"
#include "text/utf8.h"

namespace helio::data {

// Calls visit(line, row) for each line without its "\n" or "\r\n".
template <class Visit>
void for_each_line(std::string_view text, int64_t row, Visit&& visit) {
  for (size_t at = 0; at < text.size(); ++row) {
    const size_t end = text.find('\n', at);
    std::string_view line = text.substr(at, end == std::string_view::npos ? end : end - at);
    at = end == std::string_view::npos ? text.size() : end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    visit(line, row);
  }
}

inline std::string too_long(size_t max_record) {
  return "longer than " + std::to_string(max_record) + " bytes (max_record)";
}

inline const char* wrong_bytes(Encoding encoding) {
  return encoding == Encoding::cp949 ? "its bytes are not CP949" : "its bytes are not UTF-8";
}

}  // namespace helio::data
