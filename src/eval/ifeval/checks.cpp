#include "eval/ifeval/checks.h"

#include <algorithm>

#include "core/error.h"

namespace helio::eval::ifeval {
namespace {

bool is_false(const Json& value) {
  return value.is_null() || (value.is_boolean() && !value.get<bool>()) ||
         (value.is_number() && value.get<double>() == 0) ||
         (value.is_string() && value.get_ref<const std::string&>().empty()) ||
         (value.is_structured() && value.empty());
}

}  // namespace

bool Arguments::has(const char* name) const {
  const auto found = values_.find(name);
  return found != values_.end() && !is_false(*found);
}

const Json& Arguments::value(const char* name) const {
  if (!has(name))
    throw Error(ErrorKind::invalid, "instruction '" + id_ + "' has no '" + name + "'")
        .with_hint("the reference would draw one at random, so that no two runs agree");
  return values_.at(name);
}

int64_t Arguments::number(const char* name) const {
  const Json& found = value(name);
  if (!found.is_number() || found.get<double>() < 0 || found.get<double>() > 1e9)
    throw Error(ErrorKind::invalid,
                "instruction '" + id_ + "': '" + name + "' is no number from 0 to 1e9");
  return static_cast<int64_t>(found.get<double>());
}

std::string Arguments::text(const char* name) const {
  const Json& found = value(name);
  if (!found.is_string())
    throw Error(ErrorKind::invalid, "instruction '" + id_ + "': '" + name + "' is no text");
  return found.get<std::string>();
}

std::vector<std::string> Arguments::texts(const char* name) const {
  const Json& found = value(name);
  std::vector<std::string> out;
  for (const auto& each : found) {
    if (!found.is_array() || !each.is_string())
      throw Error(ErrorKind::invalid,
                  "instruction '" + id_ + "': '" + name + "' is no list of texts");
    out.push_back(each.get<std::string>());
  }
  return out;
}

std::function<bool(int64_t)> Arguments::relation(const char* relation, const char* name) const {
  const std::string which = text(relation);
  const int64_t limit = number(name);
  if (which == "less than") return [limit](int64_t n) { return n < limit; };
  if (which == "at least") return [limit](int64_t n) { return n >= limit; };
  throw Error(ErrorKind::invalid, "instruction '" + id_ + "': '" + relation + "' is '" + which +
                                      "', neither 'less than' nor 'at least'");
}

Check make_check(const std::string& id, const Json& arguments, const std::string& prompt) {
  const Arguments each(id, arguments, prompt);
  if (Check check = make_word_check(id, each)) return check;
  if (Check check = make_length_check(id, each)) return check;
  if (Check check = make_format_check(id, each)) return check;
  throw Error(ErrorKind::invalid, "no instruction is named '" + id + "'");
}

std::vector<std::string> check_ids() {
  return {"change_case:capital_word_frequency",
          "change_case:english_capital",
          "change_case:english_lowercase",
          "combination:repeat_prompt",
          "combination:two_responses",
          "detectable_content:number_placeholders",
          "detectable_content:postscript",
          "detectable_format:constrained_response",
          "detectable_format:json_format",
          "detectable_format:multiple_sections",
          "detectable_format:number_bullet_lists",
          "detectable_format:number_highlighted_sections",
          "detectable_format:title",
          "keywords:existence",
          "keywords:forbidden_words",
          "keywords:frequency",
          "keywords:letter_frequency",
          "language:response_language",
          "length_constraints:nth_paragraph_first_word",
          "length_constraints:number_paragraphs",
          "length_constraints:number_sentences",
          "length_constraints:number_words",
          "punctuation:no_comma",
          "startend:end_checker",
          "startend:quotation"};
}

}  // namespace helio::eval::ifeval
