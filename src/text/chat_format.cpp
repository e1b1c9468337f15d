#include "text/chat_format.h"

#include <algorithm>

#include "core/error.h"
#include "core/fs.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

// The end-of-text token: by name in the model's files, else by its id.
void add_eos(const fs::path& model, const Tokenizer& tokenizer,
             std::map<std::string, std::string>& special) {
  if (special.contains("eos_token")) return;
  if (const auto eos = load_special_ids(model, tokenizer).eos)
    special["eos_token"] = tokenizer.token_bytes(*eos);
}

[[noreturn]] void not_prefix_preserving(const std::string& name, const std::string& what) {
  throw Error(ErrorKind::invalid, "the chat template (" + name + ") " + what +
                                      ", so what the assistant says cannot be told apart")
      .with_hint(
          "mark it in the template: {% generation %} ... {% endgeneration %} around what the "
          "assistant says; give that file with --chat-template FILE (docs/chat-templates.md)");
}

// Prompt and answers of whole conversations: the prompt reaches as far as it begins all of them.
ChatFormat::Answers split(std::vector<TokenId> prompt,
                          const std::vector<std::vector<TokenId>>& whole) {
  size_t kept = prompt.size();
  for (const auto& ids : whole) {
    const size_t most = std::min(kept, ids.size());
    kept = static_cast<size_t>(
        std::mismatch(ids.begin(), ids.begin() + static_cast<ptrdiff_t>(most), prompt.begin())
            .first -
        ids.begin());
  }
  if (kept == 0)
    throw Error(ErrorKind::invalid, "the ids of the prompt do not begin those of its answer");
  prompt.resize(kept);
  ChatFormat::Answers out{.prompt = std::move(prompt)};
  for (const auto& ids : whole)
    out.answers.emplace_back(ids.begin() + static_cast<ptrdiff_t>(kept), ids.end());
  return out;
}

}  // namespace

OrderedJson message_list(const std::vector<Message>& messages) {
  OrderedJson list = OrderedJson::array();
  for (const Message& message : messages)
    list.push_back({{"role", message.role}, {"content", message.content}});
  return list;
}

ChatFormat::ChatFormat(std::string source, std::string name,
                       std::map<std::string, std::string> special, const Tokenizer& tokenizer,
                       const std::string& from)
    : source_(std::move(source)),
      name_(std::move(name)),
      eos_(special.contains("eos_token") ? special["eos_token"] : ""),
      template_(source_, from.empty() ? name_ : from, std::move(special)),
      tokenizer_(&tokenizer) {}

ChatFormat ChatFormat::load(const fs::path& model, const Tokenizer& tokenizer,
                            const std::string& setting) {
  const fs::path folder = fs::is_directory(model) ? model : model.parent_path();
  ChatFiles files = load_chat_files(folder);
  add_eos(model, tokenizer, files.special);
  if (setting == "auto") {
    const auto own = files.templates.find("default");
    if (own == files.templates.end())
      throw Error(ErrorKind::not_found, "'" + folder.string() + "' has no chat template")
          .with_hint(
              "choose one: --chat-template solar (SOLAR's layout), chatml, or a Jinja file; it is "
              "saved with the trained model");
    return {own->second.text, "own", std::move(files.special), tokenizer, own->second.from};
  }
  if (setting == "solar") {
    if (!files.special.contains("eos_token"))
      throw Error(ErrorKind::invalid,
                  "the tokenizer in '" + folder.string() + "' has no end-of-text token")
          .with_hint("name eos_token in tokenizer_config.json");
    return {solar_template_jinja(), "solar", std::move(files.special), tokenizer};
  }
  if (setting == "chatml") {
    for (const char* token : {"<|im_start|>", "<|im_end|>"})
      if (!tokenizer.id_of(token))
        throw Error(ErrorKind::invalid, "the tokenizer in '" + folder.string() + "' has no token " +
                                            token + ", which ChatML needs")
            .with_hint("use --chat-template solar, or add it first: helio tokenizer extend");
    return {chatml_template_jinja(), "chatml", std::move(files.special), tokenizer};
  }
  if (!fs::is_regular_file(setting))
    throw Error(ErrorKind::not_found, "no chat template '" + setting + "'")
        .with_hint("auto, solar, chatml, or the path of a Jinja file");
  return {read_file(setting), setting, std::move(files.special), tokenizer};
}

std::string ChatFormat::text_of(const std::vector<Message>& messages,
                                GenerationPrompt prompt) const {
  return template_
      .render(message_list(messages), {.generation_prompt = prompt == GenerationPrompt::add})
      .text;
}

std::string ChatFormat::prompt_text(const std::vector<Message>& messages) const {
  return text_of(messages, GenerationPrompt::add);
}

std::vector<jinja::Span> ChatFormat::assistant_spans(const std::vector<Message>& messages,
                                                     const jinja::Rendered& whole) const {
  if (template_.marks_assistant()) return whole.generation;
  std::vector<jinja::Span> spans;
  for (size_t i = 0; i < messages.size(); ++i) {
    if (messages[i].role != "assistant") continue;
    if (i == 0)
      not_prefix_preserving(name_, "has no {% generation %} marks and the assistant speaks first");
    const auto end = messages.begin() + static_cast<ptrdiff_t>(i);
    const std::string before = text_of({messages.begin(), end}, GenerationPrompt::add);
    std::string after = text_of({messages.begin(), end + 1}, GenerationPrompt::omit);
    // Some (Phi-3) end every conversation with the end-of-text token: it is the last answer's.
    if (!whole.text.starts_with(after) && !eos_.empty() && after.ends_with(eos_))
      after.resize(after.size() - eos_.size());
    const std::string which = "message " + std::to_string(i + 1);
    if (!after.starts_with(before))
      not_prefix_preserving(name_, "has no {% generation %} marks and writes " + which +
                                       " otherwise than its generation prompt begins");
    if (!whole.text.starts_with(after))
      not_prefix_preserving(name_, "has no {% generation %} marks and writes the text up to " +
                                       which + " otherwise when more follows");
    spans.push_back({count_code_points(before), count_code_points(after)});
  }
  return spans;
}

RenderedChat ChatFormat::encode(const std::vector<Message>& messages) const {
  const auto rendered = template_.render(message_list(messages));
  const auto spans = assistant_spans(messages, rendered);
  auto encoding = tokenizer_->encode_with_offsets(rendered.text, SpecialTokens::skip);
  auto mask = assistant_mask(encoding, spans);
  return {.ids = std::move(encoding.ids), .assistant = std::move(mask)};
}

ChatFormat::Answers ChatFormat::encode_plain(const std::string& prompt,
                                             const std::vector<std::string>& answers) const {
  if (eos_.empty())
    throw Error(ErrorKind::invalid, "the tokenizer has no end-of-text token")
        .with_hint("name eos_token in tokenizer_config.json");
  std::vector<std::vector<TokenId>> whole;
  for (const std::string& answer : answers)
    whole.push_back(tokenizer_->encode(prompt + answer + (answer.ends_with(eos_) ? "" : eos_)));
  return split(tokenizer_->encode(prompt), whole);
}

ChatFormat::Answers ChatFormat::encode_answers(const std::vector<Message>& prompt,
                                               const std::vector<std::string>& answers) const {
  const std::string before = text_of(prompt, GenerationPrompt::add);
  std::vector<std::vector<TokenId>> whole;
  auto messages = prompt;
  messages.push_back({.role = "assistant"});
  for (const std::string& answer : answers) {
    messages.back().content = answer;
    auto rendered = template_.render(message_list(messages));
    if (!rendered.generation.empty()) {
      const int64_t end = rendered.generation.back().end;
      rendered.text.resize(first_code_points(rendered.text, end).size());
    }
    whole.push_back(tokenizer_->encode(rendered.text, SpecialTokens::skip));
  }
  return split(tokenizer_->encode(before, SpecialTokens::skip), whole);
}

}  // namespace helio::text
