#include "train/preferences.h"

#include <algorithm>

#include "core/error.h"
#include "core/hash.h"
#include "train/conversations.h"
#include "train/rows_file.h"

namespace helio::train {
namespace {

bool blank(const std::string& text) { return text.find_first_not_of(" \t\r\n") == text.npos; }

[[noreturn]] void refuse(const std::string& place, const std::string& what) {
  throw Error(ErrorKind::invalid, place + ": " + what)
      .with_hint("known forms: prompt/chosen/rejected, conversations/chosen/rejected, "
                 "instruction/input/chosen/rejected");
}

std::vector<text::Message> prompt_of(const Json& row, const std::string& place) {
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
std::string answer_of(const Json& row, const char* key, std::vector<text::Message>& before,
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

bool same(const std::vector<text::Message>& a, const std::vector<text::Message>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.role == y.role && x.content == y.content;
  });
}

Preference read_pair(const Json& row, const std::string& place) {
  Preference pair{.id = row.contains("id") && row["id"].is_string() ? row["id"].get<std::string>() : place,
                  .prompt = prompt_of(row, place)};
  std::vector<text::Message> before_chosen, before_rejected;
  pair.chosen = answer_of(row, "chosen", before_chosen, place);
  pair.rejected = answer_of(row, "rejected", before_rejected, place);
  if (!same(before_chosen, before_rejected))
    refuse(place, "chosen and rejected answer different conversations");
  if (pair.prompt.empty())
    pair.prompt = std::move(before_chosen);
  else if (!before_chosen.empty() && !same(before_chosen, pair.prompt))
    refuse(place, "chosen does not go on from the prompt");
  return pair;
}

std::string prompt_words(const Preference& pair) {
  std::string words;
  for (const auto& message : pair.prompt) words += message.role + "\n" + message.content + "\n";
  return words;
}

// The ids of the conversation up to the last answer, and the answer's own with its eos.
void split_ids(const Preference& pair, const std::string& answer, const text::Tokenizer& tokenizer,
               TokenId eos, std::vector<TokenId>& prompt, std::vector<TokenId>& ids) {
  auto messages = pair.prompt;
  messages.push_back({.role = "assistant", .content = answer});
  const auto chat = text::render_solar(messages, tokenizer, eos, text::GenerationPrompt::omit);
  size_t end = chat.ids.size();
  while (end > 0 && !chat.assistant[end - 1]) --end;
  size_t begin = end;
  while (begin > 0 && chat.assistant[begin - 1]) --begin;
  prompt.assign(chat.ids.begin(), chat.ids.begin() + static_cast<ptrdiff_t>(begin));
  ids.assign(chat.ids.begin() + static_cast<ptrdiff_t>(begin), chat.ids.begin() + static_cast<ptrdiff_t>(end));
}

}  // namespace

LoadedPreferences load_preferences(const std::filesystem::path& path, int64_t limit) {
  LoadedPreferences loaded;
  read_rows(path, [&](const Json& row, const std::string& place) {
    if (limit && static_cast<int64_t>(loaded.rows.size()) >= limit) return false;
    Preference pair = read_pair(row, place);
    const bool no_prompt = std::all_of(pair.prompt.begin(), pair.prompt.end(),
                                       [](const auto& message) { return blank(message.content); });
    if (blank(pair.chosen) || blank(pair.rejected))
      ++loaded.refused["empty_side"];
    else if (no_prompt)
      ++loaded.refused["empty_prompt"];
    else if (pair.chosen == pair.rejected)
      ++loaded.refused["equal_sides"];
    else
      loaded.rows.push_back(std::move(pair));
    return true;
  });
  if (loaded.rows.empty())
    throw Error(ErrorKind::invalid, "'" + path.string() + "' has no usable preference pair");
  return loaded;
}

EncodedPreferences encode_preferences(const std::vector<Preference>& rows,
                                      const text::Tokenizer& tokenizer, TokenId eos,
                                      int64_t max_length, double heldout) {
  EncodedPreferences encoded;
  for (const Preference& row : rows) {
    EncodedPreference pair{.id = row.id};
    std::vector<TokenId> prompt;  // the same for both sides
    split_ids(row, row.rejected, tokenizer, eos, prompt, pair.rejected);
    split_ids(row, row.chosen, tokenizer, eos, pair.prompt, pair.chosen);
    const auto longest = static_cast<int64_t>(std::max(pair.chosen.size(), pair.rejected.size()));
    const auto length = static_cast<int64_t>(pair.prompt.size());
    const int64_t kept = std::min(length, std::max(max_length - longest, std::max<int64_t>(1, max_length / 4)));
    if (kept < length) {
      pair.prompt.erase(pair.prompt.begin(), pair.prompt.end() - kept);
      ++encoded.prompts_cut;
    }
    for (auto* answer : {&pair.chosen, &pair.rejected})
      if (static_cast<int64_t>(answer->size()) > max_length - kept) {
        answer->resize(static_cast<size_t>(max_length - kept));
        ++encoded.answers_cut;
      }
    if (is_held_out(prompt_words(row), heldout)) {
      encoded.heldout.push_back(std::move(pair));
      encoded.heldout_rows.push_back(row);
    } else {
      encoded.train.push_back(std::move(pair));
    }
  }
  if (encoded.train.empty())
    throw Error(ErrorKind::invalid, "no preference pair is left to train on")
        .with_hint("lower the held-out share");
  return encoded;
}

Row answer_row(const EncodedPreference& pair, Side side) {
  const auto& answer = side == Side::chosen ? pair.chosen : pair.rejected;
  Row row;
  row.inputs = pair.prompt;
  row.inputs.insert(row.inputs.end(), answer.begin(), answer.end() - 1);
  row.targets.assign(pair.prompt.size() - 1, kNotLearned);
  row.targets.insert(row.targets.end(), answer.begin(), answer.end());
  return row;
}

std::string content_hash(const std::vector<EncodedPreference>& pairs) {
  Sha256Stream stream;
  for (const auto& pair : pairs)
    for (const auto* ids : {&pair.prompt, &pair.chosen, &pair.rejected}) {
      const auto count = static_cast<uint64_t>(ids->size());
      stream.update({reinterpret_cast<const char*>(&count), sizeof count});
      stream.update({reinterpret_cast<const char*>(ids->data()), ids->size() * sizeof(TokenId)});
    }
  return stream.hex();
}

namespace {
ExampleOrder::Options counted(ExampleOrder::Options options, size_t examples) {
  options.examples = static_cast<int64_t>(examples);
  return options;
}
}  // namespace

PreferenceBatches::PreferenceBatches(std::vector<EncodedPreference> pairs,
                                     std::vector<PairScore> reference, Options options)
    : pairs_(std::move(pairs)),
      reference_(std::move(reference)),
      order_(counted(options.order, pairs_.size())),
      micro_batch_size_(options.micro_batch_size) {
  HELIO_CHECK(reference_.size() == pairs_.size(), "a reference score for each pair");
}

std::vector<MicroBatch> PreferenceBatches::step(int64_t step) const {
  std::vector<Row> rows;
  std::vector<double> reference;
  for (const int64_t i : order_.examples(step)) {
    const auto at = static_cast<size_t>(i);
    rows.push_back(answer_row(pairs_[at], Side::chosen));
    rows.push_back(answer_row(pairs_[at], Side::rejected));
    reference.insert(reference.end(), {reference_[at].chosen, reference_[at].rejected});
  }
  auto batches = in_micro_batches(std::move(rows), micro_batch_size_, 2);
  size_t used = 0;
  for (MicroBatch& batch : batches)
    for (size_t i = 0; i < batch.rows.size(); ++i) batch.reference.push_back(reference[used++]);
  return batches;
}

std::vector<std::string> PreferenceBatches::documents(int64_t step) const {
  std::vector<std::string> ids;
  for (const int64_t i : order_.examples(step)) ids.push_back(pairs_[static_cast<size_t>(i)].id);
  return ids;
}

}  // namespace helio::train
