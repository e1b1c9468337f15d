// One model on a task that is answered in words: all items at once, through the journal answer by
// answer.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "eval/journal.h"
#include "eval/respondent.h"
#include "eval/scoring.h"
#include "eval/task.h"

namespace helio::eval {

// What is left of `text` when it is cut before each stop text in turn, as lm-evaluation-harness
// does.
std::string cut_at_stops(std::string_view text, const std::vector<std::string>& stops);

struct AnsweredTask {
  ScoredTask scored = {};
  std::vector<std::vector<std::string>> answers = {};  // of each item: attempts, or turns
};

struct AnsweringOptions {
  // What decides the answers beside what is asked: goes into journal keys.
  std::string settings = {};
  // How conversations are written: a chat template's hash, for the same. Empty: none is, and a
  // question of one turn is asked as its text; one of more turns is an Error{usage}.
  std::string chat_template = {};
};

// Every item is asked, or found in the journal, until its task has no further question, then
// judged. What follows from an answer (a second turn, another attempt) is asked when all that was
// asked with it is answered. Equal questions are asked once. `done` is score_task's.
AnsweredTask answer_task(const Task& task, Respondent& respondent, Journal& journal,
                         const AnsweringOptions& options, const std::function<void(int64_t)>& done);

}  // namespace helio::eval
