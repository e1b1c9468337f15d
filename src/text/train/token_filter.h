// Which new tokens a vocabulary is extended by.
#pragma once

#include <cstdint>
#include <string_view>

namespace helio::text {

enum class TokenLetters { any, hangul };

// Whether a token (its bytes, as the text has them) is made of Hangul alone, behind one space or
// U+2581 at most. It may end within a character that can become Hangul, so that tokens can grow
// byte by byte, but not begin within one.
bool is_hangul_token(std::string_view bytes);

}  // namespace helio::text
