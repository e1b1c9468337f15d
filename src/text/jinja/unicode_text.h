// Python's str methods on characters.
#pragma once

#include <string>
#include <string_view>

namespace helio::text::jinja {

enum class Case : uint8_t { upper, lower, title, capitalize, swap, fold };
std::string change_case(std::string_view text, Case to);

bool is_lower_character(char32_t c);  // the derived properties, as str.islower()
bool is_upper_character(char32_t c);
bool is_digit_character(char32_t c);    // str.isdigit()
bool is_numeric_character(char32_t c);  // str.isnumeric()
bool is_cased(char32_t c);
bool is_printable(char32_t c);   // str.isprintable()
bool is_line_break(char32_t c);  // where str.splitlines() cuts
bool starts_identifier(char32_t c);
bool continues_identifier(char32_t c);

// repr() of a str.
void append_quoted(std::string& out, std::string_view text);
// ascii() of a str.
void append_ascii_quoted(std::string& out, std::string_view text);

}  // namespace helio::text::jinja
