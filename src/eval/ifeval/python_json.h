// Would CPython's json.loads take this text?
#pragma once

#include <string_view>

namespace helio::eval::ifeval {

// As CPython 3.11: NaN, Infinity and lone surrogate escapes are taken; control characters in
// strings and integers of more than 4300 digits are not. Deeper than 990 values is a no (there:
// RecursionError near 1000).
bool python_json_accepts(std::string_view text);

}  // namespace helio::eval::ifeval
