#include "eval/mt_bench/mt_bench.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/error.h"
#include "core/lines.h"
#include "eval/ifeval/python_regex.h"
#include "eval/scorer.h"

namespace helio::eval::mt_bench {
namespace {

using ifeval::PythonRegex;

int64_t question_id(const Json& row) {
  if (!row.is_object() || !row.contains("question_id") ||
      !row.at("question_id").is_number_integer())
    throw Error(ErrorKind::invalid, "no number in 'question_id'");
  return row.at("question_id").get<int64_t>();
}

std::vector<std::string> texts_of(const Json& list, const char* what) {
  std::vector<std::string> out;
  for (const auto& each : list) {
    if (!list.is_array() || !each.is_string())
      throw Error(ErrorKind::invalid, std::string(what) + " is no list of texts");
    out.push_back(each.get<std::string>());
  }
  if (out.empty()) throw Error(ErrorKind::invalid, std::string(what) + " is empty");
  return out;
}

template <class Row>
void each_row(const std::filesystem::path& file, Row&& row) {
  read_jsonl(file, [&](const Json& json, int64_t line) {
    in_context([&] { return file.string() + ":" + std::to_string(line); }, [&] { row(json); });
  });
}

std::optional<double> first_number(const PythonRegex& regex, std::string_view text) {
  std::optional<double> found;
  regex.for_each(text, [&](const auto& groups) {
    if (!found) found = std::strtod(std::string(groups[1].of(text)).c_str(), nullptr);
  });
  return found;
}

}  // namespace

Question read_question(const Json& row) {
  Question question{.id = question_id(row), .category = row_text(row, "category")};
  if (!row.contains("turns")) throw Error(ErrorKind::invalid, "no 'turns'");
  question.turns = texts_of(row.at("turns"), "'turns'");
  return question;
}

std::vector<Question> read_questions(const std::filesystem::path& file) {
  std::vector<Question> questions;
  each_row(file, [&](const Json& row) { questions.push_back(read_question(row)); });
  return questions;
}

double temperature_of(const std::string& category) {
  if (category == "writing" || category == "roleplay") return 0.7;
  if (category == "stem" || category == "humanities") return 0.1;
  if (category == "extraction" || category == "math" || category == "coding" ||
      category == "reasoning")
    return 0;
  return 0.7;  // FastChat's, for a category it does not know
}

bool needs_reference(const std::string& category) {
  return category == "math" || category == "reasoning" || category == "coding";
}

ModelAnswers read_answers(const std::filesystem::path& file) {
  ModelAnswers out;
  each_row(file, [&](const Json& row) {
    const int64_t id = question_id(row);
    const bool shaped = row.contains("choices") && row.at("choices").is_array() &&
                        !row.at("choices").empty() && row.at("choices")[0].is_object() &&
                        row.at("choices")[0].contains("turns");
    if (!shaped) throw Error(ErrorKind::invalid, "no 'turns' in the first of 'choices'");
    out.model = row_text(row, "model_id");
    if (!out.answers.emplace(id, texts_of(row.at("choices")[0].at("turns"), "'turns'")).second)
      throw Error(ErrorKind::invalid, "a second answer to question " + std::to_string(id));
  });
  return out;
}

std::map<std::string, JudgePrompt> read_judge_prompts(const std::filesystem::path& file) {
  std::map<std::string, JudgePrompt> prompts;
  each_row(file, [&](const Json& row) {
    JudgePrompt prompt{row_text(row, "name"), row_text(row, "type"), row_text(row, "system_prompt"),
                       row_text(row, "prompt_template")};
    prompts[prompt.name] = std::move(prompt);
  });
  return prompts;
}

std::string fill_template(std::string_view form, const std::map<std::string, std::string>& values) {
  std::string out;
  for (size_t i = 0; i < form.size(); ++i) {
    const char c = form[i];
    if ((c == '{' || c == '}') && i + 1 < form.size() && form[i + 1] == c) {
      out.push_back(c);
      ++i;
    } else if (c == '{') {
      const size_t end = form.find('}', i);
      const auto value = end == form.npos
                             ? values.end()
                             : values.find(std::string(form.substr(i + 1, end - i - 1)));
      if (value == values.end())
        throw Error(ErrorKind::invalid, "a judge prompt asks for a field there is not: '" +
                                            std::string(form.substr(i, 40)) + "'");
      out += value->second;
      i = end;
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::optional<double> rating_of(std::string_view judgment) {
  static const PythonRegex two(R"(\[\[([0-9]+\.?[0-9]*)\]\])"), one(R"(\[([0-9]+\.?[0-9]*)\])");
  const auto found = first_number(two, judgment);
  return found ? found : first_number(one, judgment);
}

Verdict verdict_of(std::string_view judgment) {
  if (judgment.find("[[A]]") != judgment.npos) return Verdict::a;
  if (judgment.find("[[B]]") != judgment.npos) return Verdict::b;
  if (judgment.find("[[C]]") != judgment.npos) return Verdict::tie;
  return Verdict::error;
}

std::optional<std::string> winner_of(Verdict verdict, const std::string& a, const std::string& b) {
  switch (verdict) {
    case Verdict::a:
      return a;
    case Verdict::b:
      return b;
    case Verdict::tie:
      return "tie";
    case Verdict::error:
      break;
  }
  return std::nullopt;
}

}  // namespace helio::eval::mt_bench
