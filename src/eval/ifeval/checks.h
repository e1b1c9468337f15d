// IFEval's 25 checks: does a response follow one instruction? Written after the definitions of
// google-research/instruction_following_eval as lm-evaluation-harness 0.4.13 runs them;
// docs/ifeval.md names what differs.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace helio::eval::ifeval {

using Check = std::function<bool(std::string_view response)>;

// `id` as in the data ("punctuation:no_comma"), `arguments` its kwargs, `prompt` the item's prompt
// (Evalverse's draft has the words to repeat only there). Unknown ids and missing arguments are
// Errors. Responses are valid UTF-8.
Check make_check(const std::string& id, const Json& arguments, const std::string& prompt);

std::vector<std::string> check_ids();  // the 25, in name order

// What the kinds of check are made of; each makes the check of an id it knows, or an empty one.
class Arguments;
Check make_word_check(const std::string& id, const Arguments& arguments);
Check make_length_check(const std::string& id, const Arguments& arguments);
Check make_format_check(const std::string& id, const Arguments& arguments);

// An instruction's kwargs. Values that Python takes for false (0, "", []) count as missing, as
// there.
class Arguments {
 public:
  Arguments(std::string id, const Json& values, std::string prompt)
      : id_(std::move(id)), values_(values), prompt_(std::move(prompt)) {}
  bool has(const char* name) const;
  int64_t number(const char* name) const;
  std::string text(const char* name) const;
  std::vector<std::string> texts(const char* name) const;
  // "at least" or "less than" a number.
  std::function<bool(int64_t)> relation(const char* relation, const char* number) const;
  const std::string& prompt() const { return prompt_; }

 private:
  const Json& value(const char* name) const;
  std::string id_;
  const Json& values_;
  std::string prompt_;
};

}  // namespace helio::eval::ifeval
