#include "eval/answering.h"

#include <algorithm>

#include "core/hash.h"

namespace helio::eval {
namespace {

std::string answer_key(const std::string& settings, const Question& question,
                       text::SpecialTokens special) {
  Sha256Stream stream;
  const auto add = [&](const std::string& text) {
    stream.update(std::to_string(text.size()) + ":");
    stream.update(text);
  };
  add(settings);
  add(question.prompt);
  for (const auto& stop : question.until) add(stop);
  add(std::to_string(question.max_tokens) + (special == text::SpecialTokens::add ? "+" : "-"));
  return stream.hex().substr(0, 32);
}

}  // namespace

std::string cut_at_stops(std::string_view text, const std::vector<std::string>& stops) {
  for (const auto& stop : stops) text = text.substr(0, text.find(stop));
  return std::string(text);
}

std::string answer_of(const Question& question, model::LanguageModel& model,
                      text::SpecialTokens special) {
  model::GenerateRequest request{.prompt = model.tokenizer().encode(question.prompt, special),
                                 .max_new_tokens = question.max_tokens};
  if (request.prompt.empty()) request.prompt = {start_token(model)};
  if (model.special_ids().eos) request.stop_ids = {*model.special_ids().eos};
  text::DecodeStream stream(model.tokenizer(), text::SpecialTokens::skip);
  std::string text;
  request.on_token = [&](text::TokenId id) {
    text += stream.step(id);
    return std::none_of(question.until.begin(), question.until.end(),
                        [&](const auto& stop) { return text.find(stop) != text.npos; });
  };
  model.generate(request);
  text += stream.finish();
  return cut_at_stops(text, question.until);
}

ScoredTask answer_task(const Task& task, model::LanguageModel& model, Journal& journal,
                       const std::string& settings, const std::function<void(int64_t)>& done) {
  const auto count = static_cast<size_t>(task.items());
  const text::SpecialTokens special = task.profile().special;
  ScoredTask out;
  out.items.resize(count);
  out.asked.resize(count, 1);
  for (size_t i = 0; i < count; ++i) {
    const auto item = static_cast<int64_t>(i);
    const Question question = task.question(item).value();
    const std::string key = answer_key(settings, question, special);
    auto answer = journal.find_answer(key);
    if (!answer) {
      answer = answer_of(question, model, special);
      journal.add_answer(key, *answer);
    }
    out.items[i] = task.judge_answer(item, *answer);
    done(task.cost(item));
  }
  return out;
}

}  // namespace helio::eval
