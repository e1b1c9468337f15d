// MT-Bench (Zheng et al. 2023): 80 questions of two turns, graded by a judge, as FastChat's
// llm_judge does it.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace helio::eval::mt_bench {

struct Question {
  int64_t id = 0;
  std::string category = {};
  std::vector<std::string> turns = {};
};
// {"question_id", "category", "turns"}; Error{invalid} for anything else.
Question read_question(const Json& row);
std::vector<Question> read_questions(const std::filesystem::path& file);

// What models are asked with: writing and roleplay 0.7, stem and humanities 0.1, the others 0.
double temperature_of(const std::string& category);
// Math, reasoning and coding are judged beside a reference answer.
bool needs_reference(const std::string& category);

// Answers of one model, or reference answers: the turns of `choices[0]`, by question.
using Answers = std::map<int64_t, std::vector<std::string>>;
struct ModelAnswers {
  std::string model = {};
  Answers answers = {};
};
ModelAnswers read_answers(const std::filesystem::path& file);

struct JudgePrompt {
  std::string name = {}, type = {}, system = {}, user = {};  // user: a str.format template
};
std::map<std::string, JudgePrompt> read_judge_prompts(const std::filesystem::path& file);
// str.format with named fields, and {{ and }}. A field without a value is an Error.
std::string fill_template(std::string_view form, const std::map<std::string, std::string>& values);

// [[7]], [[7.5]], else [7], anywhere in the judgment; nothing where there is none (FastChat: -1).
std::optional<double> rating_of(std::string_view judgment);

enum class Verdict : uint8_t { a, b, tie, error };
Verdict verdict_of(std::string_view judgment);  // [[A]], else [[B]], else [[C]]
// `a`, `b`, or "tie"; nothing where there was no verdict.
std::optional<std::string> winner_of(Verdict verdict, const std::string& a, const std::string& b);

}  // namespace helio::eval::mt_bench
