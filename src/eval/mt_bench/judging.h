// MT-Bench inside `helio eval run`: a model's answers, judged when the run has a judge.
#pragma once

#include <filesystem>
#include <string>

#include "core/monitor.h"
#include "eval/answering.h"
#include "eval/mt_bench/judge.h"
#include "eval/task.h"

namespace helio::eval::mt_bench {

// Has the answers of `model` judged (JudgeOptions::out is the file of judgments, kept from an
// earlier try) and gives the ratings to the items. Error{failed} when some judgment failed for
// good: the file keeps the others.
void judge_answers(const Task& task, const std::string& model, AnsweredTask& answered,
                   const JudgeData& data, const JudgeOptions& options, const StopRequest& stop);

// Why the answers in `file` have no score yet, and what to do.
std::string not_judged(const Task& task, const std::string& file);

}  // namespace helio::eval::mt_bench
