#include "text/conversation_data.h"

#include <algorithm>

#include "core/error.h"
#include "core/hash.h"
#include "text/rows_file.h"

namespace helio::text {
namespace {

void append(std::vector<Message>& messages, std::string role, std::string content) {
  messages.push_back({.role = std::move(role), .content = std::move(content)});
}

std::vector<Message> alpaca(const Json& row, const std::string& place) {
  std::vector<Message> messages;
  const std::string system = text_or_empty(row, "system", place);
  if (!system.empty()) append(messages, "system", system);
  if (row.contains("history") && row["history"].is_array())
    for (const Json& turn : row["history"]) {
      if (!turn.is_array() || turn.size() != 2 || !turn[0].is_string() || !turn[1].is_string())
        throw Error(ErrorKind::invalid,
                    place + ": 'history' must be a list of [user, assistant] texts");
      append(messages, "user", turn[0].get<std::string>());
      append(messages, "assistant", turn[1].get<std::string>());
    }
  const std::string input = text_or_empty(row, "input", place);
  const std::string instruction = text_or_empty(row, "instruction", place);
  append(messages, "user", input.empty() ? instruction : instruction + "\n\n" + input);
  append(messages, "assistant", text_or_empty(row, "output", place));
  return messages;
}

std::vector<Message> messages_of(const Json& row, const std::string& place) {
  for (const char* key : {"messages", "conversations"})
    if (row.contains(key)) return read_messages(row[key], "user", key, place);
  if (row.contains("prompt") && row.contains("completion")) {
    auto messages = read_messages(row["prompt"], "user", "prompt", place);
    for (auto& answer : read_messages(row["completion"], "assistant", "completion", place))
      messages.push_back(std::move(answer));
    return messages;
  }
  if (row.contains("instruction")) return alpaca(row, place);
  throw Error(ErrorKind::invalid, place + ": not a conversation")
      .with_hint(
          "known forms: messages, conversations, prompt/completion, instruction/input/output");
}

}  // namespace

std::string user_words(const Conversation& row) {
  std::string words;
  for (const auto& message : row.messages)
    if (message.role != "assistant") words += message.content + "\n";
  return words;
}

bool is_held_out(std::string_view content, double share) {
  constexpr uint64_t kSalt = 0x68656c6f;  // a purpose of its own, apart from other hashes of texts
  return static_cast<double>(xxh3_64(content, kSalt) >> 11) * 0x1p-53 < share;
}

LoadedConversations load_conversations(const std::filesystem::path& path, int64_t limit,
                                       const std::string& dataset) {
  LoadedConversations loaded;
  read_rows(path, dataset, [&](const Json& row, const std::string& place) {
    if (limit && static_cast<int64_t>(loaded.rows.size()) >= limit) return false;
    Conversation conversation{
        .id = row.contains("id") && row["id"].is_string() ? row["id"].get<std::string>() : place,
        .messages = messages_of(row, place),
        .plain = row.contains("prompt") && row["prompt"].is_string() &&
                 row.contains("completion") && row["completion"].is_string()};
    const auto is_answer = [](const Message& m) { return m.role == "assistant"; };
    const auto& messages = conversation.messages;
    if (std::none_of(messages.begin(), messages.end(), is_answer)) ++loaded.refused["no_answer"];
    else if (std::any_of(messages.begin(), messages.end(), [&](const Message& m) {
               return is_answer(m) && m.content.find_first_not_of(" \t\r\n") == m.content.npos;
             }))
      ++loaded.refused["empty_answer"];
    else loaded.rows.push_back(std::move(conversation));
    return true;
  });
  if (loaded.rows.empty())
    throw Error(ErrorKind::invalid, "'" + path.string() + "' has no usable conversation");
  return loaded;
}

}  // namespace helio::text
