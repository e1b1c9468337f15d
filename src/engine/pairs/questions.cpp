#include "engine/pairs/questions.h"

#include <map>

#include "core/error.h"
#include "core/json.h"
#include "text/rows_file.h"

namespace helio::engine {
namespace {

[[noreturn]] void refuse(const std::string& place, const std::string& what) {
  throw Error(ErrorKind::invalid, place + ": " + what);
}

Question question_of(const Json& row, const std::string& place, const std::string& file) {
  Question question{.id = place, .source = file};
  if (row.contains("id") && (row["id"].is_string() || row["id"].is_number()))
    question.id = row["id"].is_string() ? row["id"].get<std::string>() : row["id"].dump();
  if (row.contains("source") && row["source"].is_string()) question.source = row["source"];
  for (const char* key : {"prompt", "messages"})
    if (row.contains(key)) {
      question.prompt = text::read_messages(row[key], "user", key, place);
      break;
    }
  return question;
}

void check_prompt(const Question& question, const std::string& place) {
  if (question.prompt.empty()) refuse(place, "a row needs a \"prompt\" or \"messages\"");
  if (question.prompt.back().role != "user")
    refuse(place, "the prompt does not end with what the user says");
}

// The one answer of a row, taken off the prompt when it is the last of its messages.
std::string answer_of(const Json& row, Question& question, const std::string& place) {
  for (const char* key : {"answer", "completion", "response", "text"})
    if (row.contains(key)) return text::text_or_empty(row, key, place);
  if (question.prompt.empty() || question.prompt.back().role != "assistant")
    refuse(place, "a row needs an \"answer\", or messages that end with the assistant's");
  std::string answer = std::move(question.prompt.back().content);
  question.prompt.pop_back();
  return answer;
}

struct Answered {
  Question question = {};
  std::string answer = {};
};

// By id where the row has one, else by the prompt's words.
std::map<std::string, Answered> read_answers(const std::filesystem::path& path) {
  std::map<std::string, Answered> found;
  text::read_rows(path, [&](const Json& row, const std::string& place) {
    Answered one{.question = question_of(row, place, path.filename().string())};
    one.answer = answer_of(row, one.question, place);
    check_prompt(one.question, place);
    const std::string key =
        row.contains("id") ? "id " + one.question.id : "prompt " + one.question.words();
    if (!found.emplace(key, std::move(one)).second)
      refuse(place, "the same prompt stands in '" + path.string() + "' twice");
    return true;
  });
  return found;
}

}  // namespace

std::string Question::words() const {
  std::string words;
  for (const auto& message : prompt) words += message.content + "\n";
  return words;
}

std::vector<Question> read_questions(const std::filesystem::path& path) {
  std::vector<Question> questions;
  text::read_rows(path, [&](const Json& row, const std::string& place) {
    Question question = question_of(row, place, path.filename().string());
    check_prompt(question, place);
    for (const char* key : {"answers", "choices"}) {
      if (!row.contains(key)) continue;
      if (!row[key].is_array()) refuse(place, "\"" + std::string(key) + "\" must be a list");
      for (const Json& answer : row[key]) {
        const bool object = answer.is_object() && answer.contains("text");
        const Json& words = object ? answer["text"] : answer;
        if (!words.is_string()) refuse(place, "an answer is a text, or an object with \"text\"");
        question.answers.push_back(
            {.text = words.get<std::string>(), .from = path.filename().string()});
      }
    }
    questions.push_back(std::move(question));
    return true;
  });
  if (questions.empty()) throw Error(ErrorKind::invalid, "'" + path.string() + "' has no prompt");
  return questions;
}

std::vector<Question> match_answers(const std::filesystem::path& chosen,
                                    const std::filesystem::path& rejected, int64_t& unmatched) {
  auto good = read_answers(chosen), bad = read_answers(rejected);
  std::vector<Question> questions;
  unmatched = 0;
  for (auto& [key, answered] : good) {
    const auto partner = bad.find(key);
    if (partner == bad.end()) {
      ++unmatched;
      continue;
    }
    Question question = std::move(answered.question);
    question.answers = {{std::move(answered.answer), chosen.filename().string()},
                        {std::move(partner->second.answer), rejected.filename().string()}};
    questions.push_back(std::move(question));
    bad.erase(partner);
  }
  unmatched += static_cast<int64_t>(bad.size());
  return questions;
}

}  // namespace helio::engine
