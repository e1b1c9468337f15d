#include "eval/gsm8k/gsm8k.h"

#include <algorithm>

#include "core/error.h"
#include "eval/ifeval/python_case.h"
#include "eval/ifeval/python_regex.h"
#include "text/unicode.h"

namespace helio::eval::gsm8k {
namespace {

using ifeval::PythonRegex;
constexpr std::string_view kInvalid = "[invalid]";

std::string comparable(std::string_view text) {
  static const PythonRegex reasoning("(?s).*#### "), last_period(R"(\.$)");
  std::string out(text);
  std::erase(out, ',');
  std::erase(out, '$');
  out = reasoning.sub(out, "");
  return ifeval::python_lower(last_period.sub(out, ""));
}

}  // namespace

std::string strict_match(std::string_view text) {
  static const PythonRegex number(R"(#### (\-?[0-9\.\,]+))");
  std::string found(kInvalid);
  bool first = true;
  number.for_each(text, [&](const auto& groups) {
    if (first) found = text::trim(groups[1].of(text));
    first = false;
  });
  return found;
}

std::string flexible_extract(std::string_view text) {
  static const PythonRegex number("(-?[$0-9.,]{2,})|(-?[0-9]+)");
  std::string found(kInvalid);
  number.for_each(text, [&](const auto& groups) { found = text::trim(groups[0].of(text)); });
  return found;
}

bool exact_match(std::string_view prediction, std::string_view answer) {
  return comparable(prediction) == comparable(answer);
}

bool leaderboard_v1_match(std::string_view text, std::string_view answer) {
  std::string said = strict_match(text), right = strict_match(answer);
  if (said == kInvalid) return false;
  std::erase(said, ',');
  std::erase(right, ',');
  return said == right;
}

}  // namespace helio::eval::gsm8k
