// MT-Bench's judge: makes its prompts, asks an endpoint, writes every judgment as it arrives.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/monitor.h"
#include "eval/endpoint/openai_chat.h"
#include "eval/mt_bench/mt_bench.h"

namespace helio::eval::mt_bench {

// One thing to judge: a turn of a question, of one model or of two.
struct Match {
  Question question = {};
  int64_t turn = 1;
  std::string prompt_name = {}, system = {};
  std::vector<std::string> prompts = {};  // pairwise: in both orders
};

struct JudgeData {
  std::vector<Question> questions = {};
  std::map<std::string, JudgePrompt> prompts = {};
  Answers references = {};
};

// question.jsonl, judge_prompts.jsonl and reference_answer/gpt-4.jsonl of DIR/mt_bench.
JudgeData read_judge_data(const std::string& benchmarks);

// All first turns, then all second ones, questions in order. `against` empty: each answer alone.
// An answer or reference that is missing is an Error.
std::vector<Match> make_matches(const JudgeData& data, const ModelAnswers& model,
                                const ModelAnswers& against);

struct JudgeOptions {
  EndpointOptions endpoint = {};
  std::filesystem::path out = {};
  int64_t parallel = 4;
};
struct JudgeOutcome {
  int64_t judged = 0, kept = 0, failed = 0, retries = 0;
  std::string first_problem = {};
};
// Appends to `out` one line of FastChat's a match, synced one by one, by `parallel` requests at a
// time. Matches that `out` has already are kept; a last line that a crash cut off is dropped. A
// request that fails for good leaves its match out; the others go on. Error{interrupted} on `stop`.
JudgeOutcome judge(const std::vector<Match>& matches, const ModelAnswers& model,
                   const ModelAnswers& against, const JudgeOptions& options, Monitor& monitor,
                   const StopRequest& stop);

}  // namespace helio::eval::mt_bench
