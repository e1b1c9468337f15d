// Numbers as text, the way Python's % and format() write them.
#pragma once

#include <string>

namespace helio::text::jinja {

// 'e', 'f', 'g' (upper case too); `alternate`: keep the point and zeros.
std::string format_double(double value, char type, int precision, bool alternate);
std::string format_digits(uint64_t value, int base, bool upper);

}  // namespace helio::text::jinja
