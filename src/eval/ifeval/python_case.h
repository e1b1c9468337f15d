// Letter case as CPython 3.11 has it.
#pragma once

#include <string>
#include <string_view>

namespace helio::eval::ifeval {

bool is_lowercase(char32_t c);  // Unicode's Lowercase: str.islower() of one character
bool is_uppercase(char32_t c);

bool python_isupper(std::string_view text);  // str.isupper()
bool python_islower(std::string_view text);  // str.islower()
// str.lower(): one to one but for U+0130, and the sigma that ends a word.
std::string python_lower(std::string_view text);

// Two characters match under re.IGNORECASE when these are equal.
char32_t fold_case(char32_t c);

// str.strip(characters), str.lstrip(characters) for single ASCII characters.
std::string_view strip_of(std::string_view text, char c);
std::string_view strip_left_of(std::string_view text, char c);
std::string_view strip_right_of(std::string_view text, char c);

}  // namespace helio::eval::ifeval
