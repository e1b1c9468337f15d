// What preference pairs are made of: prompts, and answers to them, from files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "text/chat.h"

namespace helio::engine {

struct Candidate {
  std::string text = {}, from = {};  // from: "seed 3", or the file
};

struct Question {
  std::string id = {};  // the row's "id", else its place ("prompts.jsonl:12")
  std::string source = {};
  std::vector<text::Message> prompt = {};
  std::vector<Candidate> answers = {};  // of a rule: the chosen one, then the rejected one

  // The prompt's words and, when given, an answer's: what contamination is looked for in.
  std::string words() const;
};

// Rows {"prompt": TEXT or messages} or {"messages": [...]} (their last turn is the user's), with
// "id" and "source" where there are. "answers": [TEXT, ...] or "choices": [{"text"}] (what helio
// generate --n writes) are candidates. Error{invalid} with the row's place.
std::vector<Question> read_questions(const std::filesystem::path& path);

// Two files of one answer a prompt, matched by "id", else by the prompt. A row is {"prompt",
// "answer" (or "completion", "response", "text")} or messages that end with the assistant's. Rows
// with no partner are counted in `unmatched`. Error{invalid}: a key twice in a file.
std::vector<Question> match_answers(const std::filesystem::path& chosen,
                                    const std::filesystem::path& rejected, int64_t& unmatched);

}  // namespace helio::engine
