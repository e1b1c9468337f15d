// Unicode word boundaries: UAX #29, revision of Unicode 15.0, rules WB1 to WB999.
#pragma once

#include <functional>
#include <string_view>

namespace helio::data {

// Length in bytes of the segment with which `text` (not empty) begins.
size_t uax29_segment(std::string_view text);

// Calls visit(segment) for each, white space and punctuation too.
template <class Visit>
void for_each_uax29_segment(std::string_view text, Visit&& visit) {
  while (!text.empty()) {
    const size_t size = uax29_segment(text);
    visit(text.substr(0, size));
    text.remove_prefix(size);
  }
}

}  // namespace helio::data
