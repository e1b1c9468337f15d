// Characters that HF tokenizers' regular expressions (Oniguruma) know and PCRE2's do not.
#pragma once

#include <string>
#include <string_view>

namespace helio::text {

// What \p{name} lacks in PCRE2 10.42, which knows Unicode 14: ranges to put into a class, such as
// "\x{105c0}-\x{105f3}". `name` is a general category (L, Lu) or a script (Han); "" where nothing
// is missing.
std::string younger_members(std::string_view name);

}  // namespace helio::text
