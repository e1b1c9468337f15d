#include "text/preference_layouts.h"

#include <algorithm>

#include "core/error.h"
#include "core/hash.h"
#include "text/rows_file.h"

namespace helio::text {
namespace {

bool blank(const std::string& text) { return text.find_first_not_of(" \t\r\n") == text.npos; }

[[noreturn]] void refuse(const std::string& place, const std::string& what) {
  throw Error(ErrorKind::invalid, place + ": " + what)
      .with_hint(
          "known forms: prompt/chosen/rejected, conversations/chosen/rejected, "
          "instruction/input/chosen/rejected, question/chosen/rejected, HH-RLHF's transcripts, "
          "UltraFeedback's instruction/completions, prompt/completion/label");
}

std::vector<Message> prompt_of(const Json& row, const std::string& place) {
  for (const char* key : {"prompt", "conversations"})
    if (row.contains(key)) return read_messages(row[key], "user", key, place);
  if (row.contains("instruction")) {
    const std::string input = text_or_empty(row, "input", place);
    const std::string words = text_or_empty(row, "instruction", place);
    return {{.role = "user", .content = input.empty() ? words : words + "\n\n" + input}};
  }
  if (row.contains("question")) {  // Orca pairs
    std::vector<Message> messages{
        {.role = "user", .content = text_or_empty(row, "question", place)}};
    const std::string system = text_or_empty(row, "system", place);
    if (!blank(system)) messages.insert(messages.begin(), {.role = "system", .content = system});
    return messages;
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

// Two texts without a prompt: it is what they begin with in common, less a space before the first
// difference (TRL's extract_prompt).
void split_implicit_prompt(Preference& pair) {
  const std::string &chosen = pair.chosen, &rejected = pair.rejected;
  size_t common = 0;
  while (common < std::min(chosen.size(), rejected.size()) && chosen[common] == rejected[common])
    ++common;
  const auto inside_character = [&](const std::string& text) {
    return common < text.size() && (static_cast<uint8_t>(text[common]) & 0xC0) == 0x80;
  };
  while (common > 0 && (inside_character(chosen) || inside_character(rejected))) --common;
  if (common > 0 && chosen[common - 1] == ' ') --common;
  pair.prompt = {{.role = "user", .content = chosen.substr(0, common)}};
  pair.rejected.erase(0, common);
  pair.chosen.erase(0, common);
}

Preference read_pair(const Json& row, const std::string& place) {
  Preference pair{.prompt = prompt_of(row, place)};
  std::vector<Message> before_chosen, before_rejected;
  pair.chosen = answer_of(row, "chosen", before_chosen, place);
  pair.rejected = answer_of(row, "rejected", before_rejected, place);
  if (!same(before_chosen, before_rejected))
    refuse(place, "chosen and rejected answer different conversations");
  pair.plain = row.contains("prompt") && row["prompt"].is_string() && row["chosen"].is_string() &&
               row["rejected"].is_string();
  const bool implicit = pair.prompt.empty() && before_chosen.empty();
  if (implicit && row["chosen"].is_string() && row["rejected"].is_string()) {
    split_implicit_prompt(pair);
    pair.plain = true;
  } else if (pair.prompt.empty()) pair.prompt = std::move(before_chosen);
  else if (!before_chosen.empty() && !same(before_chosen, pair.prompt))
    refuse(place, "chosen does not go on from the prompt");
  return pair;
}

// --- HH-RLHF: a whole conversation as one text -----------------------------------------------

constexpr std::string_view kHuman = "\n\nHuman: ", kAssistant = "\n\nAssistant:";

bool is_transcript(const Json& row) {
  const auto begins = [&](const char* key) {
    return row.contains(key) && row[key].is_string() &&
           row[key].get_ref<const std::string&>().starts_with(kHuman);
  };
  return begins("chosen") && begins("rejected");
}

std::vector<Message> transcript(std::string_view text) {
  std::vector<Message> messages;
  while (!text.empty()) {
    const bool human = text.starts_with(kHuman);
    text.remove_prefix(human ? kHuman.size() : kAssistant.size());
    const size_t end = std::min({text.find(kHuman), text.find(kAssistant), text.size()});
    std::string content(text.substr(0, end));
    if (!human && content.starts_with(' ')) content.erase(0, 1);
    messages.push_back({.role = human ? "user" : "assistant", .content = std::move(content)});
    text.remove_prefix(end);
  }
  return messages;
}

Preference read_transcripts(const Json& row, const std::string& place) {
  const auto split = [&](const char* key, Preference& pair, std::string& answer) {
    auto messages = transcript(row[key].get_ref<const std::string&>());
    if (messages.back().role != "assistant")
      refuse(place, "'" + std::string(key) + "' does not end with the assistant's words");
    answer = std::move(messages.back().content);
    messages.pop_back();
    if (!pair.prompt.empty() && !same(messages, pair.prompt))
      refuse(place, "chosen and rejected answer different conversations");
    pair.prompt = std::move(messages);
  };
  Preference pair;
  split("chosen", pair, pair.chosen);
  split("rejected", pair, pair.rejected);
  return pair;
}

// --- UltraFeedback: several completions with scores ------------------------------------------

double score_of(const Json& completion, const std::string& place) {
  for (const char* key : {"overall_score", "score"})
    if (completion.contains(key) && completion[key].is_number())
      return completion[key].get<double>();
  refuse(place, "a completion has no 'overall_score'");
}

// Tunstall et al. 2023 (section 4.2): the completion with the highest overall score is chosen, one
// of the others at random is rejected; here the instruction's hash draws it.
Preference binarise(const Json& row, const std::string& place) {
  const Json& given = row["completions"];
  if (given.size() < 2) refuse(place, "a pair needs two completions");
  const std::string words = text_or_empty(row, "instruction", place);
  size_t best = 0;
  for (size_t i = 0; i < given.size(); ++i) {
    if (!given[i].is_object() || !given[i].contains("response") ||
        !given[i]["response"].is_string())
      refuse(place, "a completion has no text 'response'");
    if (score_of(given[i], place) > score_of(given[best], place)) best = i;
  }
  constexpr uint64_t kSalt = 0x7a6570687972;  // a purpose of its own, apart from other hashes
  size_t other = xxh3_64(words, kSalt) % (given.size() - 1);
  if (other >= best) ++other;
  return {.prompt = {{.role = "user", .content = words}},
          .chosen = given[best]["response"].get<std::string>(),
          .rejected = given[other]["response"].get<std::string>()};
}

// --- KTO: one answer and whether it is a good one --------------------------------------------

Preference read_unpaired(const Json& row, const std::string& place) {
  const Json& label = row["label"];
  if (!label.is_boolean() && !(label.is_number_integer() && (label == 0 || label == 1)))
    refuse(place, "'label' must be true or false");
  std::vector<Message> before;
  Preference pair{.prompt = prompt_of(row, place), .unpaired = true};
  std::string answer = answer_of(row, "completion", before, place);
  pair.plain = row["completion"].is_string() && row["prompt"].is_string();
  (label == true || label == 1 ? pair.chosen : pair.rejected) = std::move(answer);
  return pair;
}

Preference read_layout(const Json& row, const std::string& place) {
  if (is_transcript(row)) return read_transcripts(row, place);
  if (row.contains("completions") && row["completions"].is_array()) return binarise(row, place);
  if (row.contains("prompt") && row.contains("completion") && row.contains("label"))
    return read_unpaired(row, place);
  return read_pair(row, place);
}

}  // namespace

Preference read_preference(const Json& row, const std::string& place) {
  Preference pair = read_layout(row, place);
  const auto text = [&](const char* key) {
    return row.contains(key) && row[key].is_string() ? row[key].get<std::string>() : std::string();
  };
  pair.id = row.contains("id") && row["id"].is_string() ? text("id") : place;
  pair.source = text("source");
  if (pair.source.empty())
    pair.source = place.substr(0, std::min(place.find(':'), place.find(" row ")));
  return pair;
}

}  // namespace helio::text
