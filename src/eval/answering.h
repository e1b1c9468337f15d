// One model on a task that is answered in words: greedy answers, as lm-evaluation-harness asks for
// them (generate_until), through the journal.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "eval/journal.h"
#include "eval/scoring.h"
#include "eval/task.h"

namespace helio::eval {

// What is left of `text` when it is cut before each stop text in turn, as lm-evaluation-harness
// does.
std::string cut_at_stops(std::string_view text, const std::vector<std::string>& stops);

// The answer to `question`: greedy, at most max_tokens long, cut before the first of its stop texts
// or the end of text. A prompt too long for the model loses its beginning. `special` says whether
// the tokenizer may add its own to the prompt.
std::string answer_of(const Question& question, model::LanguageModel& model,
                      text::SpecialTokens special);

// Each item asked, or found in the journal, and judged (Task::judge_answer). `settings` and `done`
// are score_task's.
ScoredTask answer_task(const Task& task, model::LanguageModel& model, Journal& journal,
                       const std::string& settings, const std::function<void(int64_t)>& done);

}  // namespace helio::eval
