// GSM8K's answers: finding the number in a generation, and comparing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace helio::eval::gsm8k {

// The number after the first "#### ", or "[invalid]": the leaderboards' filter.
std::string strict_match(std::string_view text);
// The last number anywhere, or "[invalid]".
std::string flexible_extract(std::string_view text);
// lm-evaluation-harness's exact_match with its ignored patterns: commas, dollar signs, all up to
// "#### ", a last period; then lower case.
bool exact_match(std::string_view prediction, std::string_view answer);
// The Open LLM Leaderboard's commit b281b0921: both numbers after "#### " without commas are equal.
// A prediction without one is wrong.
bool leaderboard_v1_match(std::string_view text, std::string_view answer);

}  // namespace helio::eval::gsm8k
