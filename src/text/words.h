// Words as every account states them: 어절, the runs of characters that are not white space.
#pragma once

#include <cstdint>
#include <string_view>

namespace helio::text {

// White space as Python's str.split() sees it. Bytes that are not UTF-8 count as characters of a
// word, as Python's errors="replace" makes them.
bool is_space(uint32_t code_point);

// Number of words, equal to Python's len(text.split()).
int64_t count_words(std::string_view text);

}  // namespace helio::text
