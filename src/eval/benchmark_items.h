// One document of a benchmark as the text that is asked.
#pragma once

#include <string>
#include <vector>

#include "core/json.h"
#include "eval/choices.h"
#include "eval/prepare.h"
#include "eval/task_spec.h"
#include "text/chat.h"

namespace helio::eval {

class ItemBuilder {
 public:
  explicit ItemBuilder(const TaskSpec& spec) : spec_(spec), prepare_(find_prepare(spec.prepare)) {}
  const TaskSpec& spec() const { return spec_; }

  // A document as the prompt sees it.
  Json prepared(Json document, const std::string& subject) const;
  // `before` stands before the question: the description and the examples.
  ChoiceItem choices(const Json& document, const std::string& before) const;
  // The question alone, and the answer that is looked for: of tasks that are answered in words.
  std::string question(const Json& document) const;
  std::string target(const Json& document) const;
  // The document as an example: with its right answer.
  std::string example(const Json& document) const;
  // The same as what a user says and what is answered.
  std::vector<text::Message> example_turns(const Json& document) const;

 private:
  std::vector<std::string> offered(const Json& document) const;
  size_t gold(const Json& document, size_t count) const;
  std::vector<uint8_t> labels(const Json& document, size_t count) const;

  const TaskSpec& spec_;
  Prepare prepare_;
};

}  // namespace helio::eval
