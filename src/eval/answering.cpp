#include "eval/answering.h"

#include <algorithm>
#include <map>
#include <memory>

#include "core/error.h"
#include "core/hash.h"

namespace helio::eval {
namespace {

std::string answer_key(const AnsweringOptions& options, const Answerable& asked) {
  Sha256Stream stream;
  const auto add = [&](const std::string& text) {
    stream.update(std::to_string(text.size()) + ":");
    stream.update(text);
  };
  add(options.settings);
  add(asked.prompt);
  if (!asked.messages.empty()) add(options.chat_template);
  for (const auto& message : asked.messages) {
    add(message.role);
    add(message.content);
  }
  for (const auto& stop : asked.stops) add(stop);
  add(std::to_string(asked.max_tokens) + (asked.special == text::SpecialTokens::add ? "+" : "-"));
  if (asked.temperature > 0)
    add(OrderedJson(asked.temperature).dump() + " " + std::to_string(asked.seed));
  return stream.hex().substr(0, 32);
}

// Without a chat template: the text of the only question.
void ask_as_text(Answerable& asked) {
  std::vector<text::Message> said;
  for (auto& message : asked.messages)
    if (message.role != "system") said.push_back(std::move(message));
  if (said.size() != 1)
    throw Error(ErrorKind::usage, "a conversation of several turns needs a chat template")
        .with_hint("--chat-template auto (the model's own), solar, chatml, or a Jinja file");
  asked.prompt = std::move(said.front().content);
  asked.messages.clear();
}

// The items that wait for answers to the same questions, in rounds.
class Round {
 public:
  Round(const Task& task, Journal& journal, const AnsweringOptions& options,
        std::vector<std::vector<std::string>>& answers)
      : task_(task), journal_(journal), options_(options), answers_(answers) {}

  // Goes on with an item as far as the journal knows its answers. False: it waits for one.
  bool advance(size_t item) {
    while (auto question = task_.question(static_cast<int64_t>(item), answers_[item])) {
      if (options_.chat_template.empty() && !question->messages.empty()) ask_as_text(*question);
      const std::string key = answer_key(options_, *question);
      if (auto known = journal_.find_answer(key)) {
        answers_[item].push_back(std::move(*known));
        continue;
      }
      const auto [place, fresh] = places_.try_emplace(key, asked.size());
      if (fresh) {
        asked.push_back(std::move(*question));
        keys.push_back(key);
        items.emplace_back();
      }
      items[place->second].push_back(item);
      return false;
    }
    return true;
  }

  // Side by side: what is asked, its name in the journal, the items it is asked for.
  std::vector<Answerable> asked = {};
  std::vector<std::string> keys = {};
  std::vector<std::vector<size_t>> items = {};

 private:
  const Task& task_;
  Journal& journal_;
  const AnsweringOptions& options_;
  std::vector<std::vector<std::string>>& answers_;
  std::map<std::string, size_t> places_ = {};
};

}  // namespace

std::string cut_at_stops(std::string_view text, const std::vector<std::string>& stops) {
  for (const auto& stop : stops) text = text.substr(0, text.find(stop));
  return std::string(text);
}

AnsweredTask answer_task(const Task& task, Respondent& respondent, Journal& journal,
                         const AnsweringOptions& options,
                         const std::function<void(int64_t)>& done) {
  const auto count = static_cast<size_t>(task.items());
  AnsweredTask out;
  out.answers.resize(count);
  out.scored.items.resize(count);
  out.scored.asked.resize(count, 1);
  const auto finish = [&](size_t item) {
    const auto at = static_cast<int64_t>(item);
    out.scored.items[item] = task.judge_answers(at, out.answers[item]);
    done(task.cost(at));
  };
  const auto new_round = [&] {
    return std::make_unique<Round>(task, journal, options, out.answers);
  };
  auto round = new_round();
  for (size_t i = 0; i < count; ++i)
    if (round->advance(i)) finish(i);
  while (!round->asked.empty()) {
    auto next = new_round();
    respondent.answer(round->asked, [&](size_t index, const std::string& text) {
      journal.add_answer(round->keys[index], cut_at_stops(text, round->asked[index].stops));
      for (const size_t item : round->items[index])
        if (next->advance(item)) finish(item);
    });
    round = std::move(next);
  }
  return out;
}

}  // namespace helio::eval
