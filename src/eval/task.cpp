#include "eval/task.h"

#include "core/error.h"
#include "text/unicode.h"

namespace helio::eval {
namespace {

// Bytes of Python whitespace at the end of a text.
size_t trailing_space(std::string_view text) {
  size_t end = text.size();
  while (end > 0) {
    size_t begin = end - 1;
    while (begin > 0 && (static_cast<uint8_t>(text[begin]) & 0xC0) == 0x80) --begin;
    const auto point = text::decode_utf8(text, begin);
    if (begin + point.size != end || !text::is_python_space(point.value)) break;
    end = begin;
  }
  return text.size() - end;
}

std::vector<text::TokenId> encoded(const std::string& text, const model::LanguageModel& model,
                                   text::SpecialTokens special) {
  // A text that begins with BOS written out gets no second one.
  const auto& tokenizer = model.tokenizer();
  if (const auto bos = model.special_ids().bos)
    for (const auto& token : tokenizer.added_tokens())
      if (token.id == *bos && !token.content.empty() && text.starts_with(token.content))
        special = text::SpecialTokens::skip;
  return tokenizer.encode(text, special);
}

}  // namespace

Judged Task::judge_answers(int64_t, const std::vector<std::string>&) const {
  throw Error(ErrorKind::invalid, "'" + spec_.name + "' is not answered in words");
}

int64_t Task::total() const {
  int64_t all = 0;
  for (const Part& part : parts_) all += part.total;
  return all;
}

int64_t share_of_limit(const Sources& sources, int64_t index, int64_t parts, int64_t available) {
  int64_t limit = available;
  if (sources.limit_per_subject) limit = sources.limit_per_subject;
  else if (sources.limit) limit = sources.limit / parts + (index < sources.limit % parts ? 1 : 0);
  return std::min(limit, available);
}

text::TokenId start_token(const model::LanguageModel& model) {
  const auto& ids = model.special_ids();
  if (ids.bos) return *ids.bos;
  if (ids.eos) return *ids.eos;
  throw Error(ErrorKind::invalid, "the tokenizer names neither a beginning nor an end token")
      .with_hint("bos_token and eos_token stand in tokenizer_config.json");
}

std::string conversation_text(const std::vector<text::Message>& messages,
                              const text::ChatFormat& chat) {
  try {
    return chat.prompt_text(messages);
  } catch (const Error&) {
    if (messages.empty() || messages.front().role != "system") throw;
    return chat.prompt_text({messages.begin() + 1, messages.end()});
  }
}

model::ScoreRequest encode_pair(const std::string& context, const std::string& continuation,
                                const model::LanguageModel& model, text::SpecialTokens special) {
  model::ScoreRequest out;
  if (context.empty()) {
    const auto start = start_token(model);
    out.context = {start};
    out.continuation = model.tokenizer().encode(continuation, text::SpecialTokens::skip);
    if (out.continuation.size() > 1 && out.continuation[0] == start)
      out.continuation.erase(out.continuation.begin());
    return out;
  }
  const size_t space = trailing_space(context);
  const auto whole = encoded(context + continuation, model, special);
  out.context = encoded(context.substr(0, context.size() - space), model, special);
  const size_t cut = std::min(out.context.size(), whole.size());
  out.continuation.assign(whole.begin() + static_cast<ptrdiff_t>(cut), whole.end());
  // All of the context was whitespace and the tokenizer adds nothing.
  if (out.context.empty()) out.context = {start_token(model)};
  return out;
}

std::unique_ptr<Task> make_task(const TaskSpec& spec, const Sources& sources) {
  return in_context([&] { return "while making ready task '" + spec.name + "'"; },
                    [&]() -> std::unique_ptr<Task> {
                      if (spec.mode == "group")
                        throw Error(ErrorKind::usage, "'" + spec.name + "' is a group of tasks");
                      if (spec.mode == "generate") return make_generation_task(spec, sources);
                      if (spec.mode == "conversation") return make_conversation_task(spec, sources);
                      if (spec.mode == "bits_per_byte")
                        return make_bits_per_byte_task(spec, sources);
                      if (spec.mode == "cloze") return make_cloze_task(spec, sources);
                      if (spec.mode == "preference") return make_preference_task(spec, sources);
                      return make_choice_task(spec, sources);
                    });
}

}  // namespace helio::eval
