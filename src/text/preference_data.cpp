#include "text/preference_data.h"

#include <algorithm>

#include "core/error.h"
#include "text/conversation_data.h"
#include "text/rows_file.h"

namespace helio::text {
namespace {

bool blank(const std::string& text) { return text.find_first_not_of(" \t\r\n") == text.npos; }

[[noreturn]] void refuse(const std::string& place, const std::string& what) {
  throw Error(ErrorKind::invalid, place + ": " + what)
      .with_hint(
          "known forms: prompt/chosen/rejected, conversations/chosen/rejected, "
          "instruction/input/chosen/rejected");
}

std::vector<Message> prompt_of(const Json& row, const std::string& place) {
  for (const char* key : {"prompt", "conversations"})
    if (row.contains(key)) return read_messages(row[key], "user", key, place);
  if (row.contains("instruction")) {
    const std::string input = text_or_empty(row, "input", place);
    const std::string words = text_or_empty(row, "instruction", place);
    return {{.role = "user", .content = input.empty() ? words : words + "\n\n" + input}};
  }
  return {};
}

// The side's answer; turns before it are added to `before`.
std::string answer_of(const Json& row, const char* key, std::vector<Message>& before,
                      const std::string& place) {
  if (!row.contains(key)) refuse(place, "a preference pair has no '" + std::string(key) + "'");
  auto messages = read_messages(row[key], "assistant", key, place);
  if (messages.empty()) return {};
  if (messages.back().role != "assistant")
    refuse(place, "'" + std::string(key) + "' does not end with the assistant's words");
  std::string answer = std::move(messages.back().content);
  messages.pop_back();
  before = std::move(messages);
  return answer;
}

bool same(const std::vector<Message>& a, const std::vector<Message>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.role == y.role && x.content == y.content;
  });
}

Preference read_pair(const Json& row, const std::string& place) {
  Preference pair{
      .id = row.contains("id") && row["id"].is_string() ? row["id"].get<std::string>() : place,
      .prompt = prompt_of(row, place)};
  std::vector<Message> before_chosen, before_rejected;
  pair.chosen = answer_of(row, "chosen", before_chosen, place);
  pair.rejected = answer_of(row, "rejected", before_rejected, place);
  if (!same(before_chosen, before_rejected))
    refuse(place, "chosen and rejected answer different conversations");
  if (pair.prompt.empty()) pair.prompt = std::move(before_chosen);
  else if (!before_chosen.empty() && !same(before_chosen, pair.prompt))
    refuse(place, "chosen does not go on from the prompt");
  return pair;
}

std::string prompt_words(const Preference& pair) {
  std::string words;
  for (const auto& message : pair.prompt) words += message.role + "\n" + message.content + "\n";
  return words;
}

}  // namespace

LoadedPreferences load_preferences(const std::filesystem::path& path, int64_t limit) {
  LoadedPreferences loaded;
  read_rows(path, [&](const Json& row, const std::string& place) {
    if (limit && static_cast<int64_t>(loaded.rows.size()) >= limit) return false;
    Preference pair = read_pair(row, place);
    const bool no_prompt = std::all_of(pair.prompt.begin(), pair.prompt.end(),
                                       [](const auto& message) { return blank(message.content); });
    if (blank(pair.chosen) || blank(pair.rejected)) ++loaded.refused["empty_side"];
    else if (no_prompt) ++loaded.refused["empty_prompt"];
    else if (pair.chosen == pair.rejected) ++loaded.refused["equal_sides"];
    else loaded.rows.push_back(std::move(pair));
    return true;
  });
  if (loaded.rows.empty())
    throw Error(ErrorKind::invalid, "'" + path.string() + "' has no usable preference pair");
  return loaded;
}

bool is_held_out(const Preference& pair, double share) {
  return is_held_out(prompt_words(pair), share);
}

}  // namespace helio::text
