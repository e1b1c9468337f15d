#include "text/chat.h"

#include "core/error.h"

namespace helio::text {
namespace {

struct Span {
  size_t begin = 0, end = 0;  // bytes of the rendered text
};

struct Rendered {
  std::string text = {};
  std::vector<Span> assistant = {};  // what the assistant says, its eos included; in order
};

Rendered render(const std::vector<Message>& messages, const std::string& eos,
                GenerationPrompt prompt) {
  Rendered out;
  for (size_t i = 0; i < messages.size(); ++i) {
    const auto& [role, content] = messages[i];
    if (role == "system") {
      if (i > 0)
        throw Error(ErrorKind::invalid, "message " + std::to_string(i + 1) +
                                            ": a system message must be the first message");
      out.text += "### System:\n" + content + "\n\n";
    } else if (role == "user") {
      out.text += "### User:\n" + content + "\n\n";
    } else if (role == "assistant") {
      out.text += "### Assistant:\n";
      const size_t begin = out.text.size();
      out.text += content + eos;
      out.assistant.push_back({begin, out.text.size()});
      out.text += "\n\n";
    } else {
      throw Error(ErrorKind::invalid,
                  "message " + std::to_string(i + 1) + ": unknown role '" + role + "'")
          .with_hint("roles: system (first message only), user, assistant");
    }
  }
  if (prompt == GenerationPrompt::add) out.text += "### Assistant:\n";
  return out;
}

// Masks tokens that begin inside a span, as transformers does. False when the tokens' bytes are not
// the text (a normalizer, missing bytes), so that places cannot be told.
bool mask_by_bytes(const Rendered& rendered, const Tokenizer& tokenizer, RenderedChat& chat) {
  size_t at = 0, span = 0;
  chat.assistant.clear();
  for (const TokenId id : chat.ids) {
    const std::string bytes = tokenizer.token_bytes(id);
    if (rendered.text.compare(at, bytes.size(), bytes) != 0) return false;
    const auto& spans = rendered.assistant;
    while (span < spans.size() && at >= spans[span].end) ++span;
    chat.assistant.push_back(span < spans.size() && at >= spans[span].begin ? 1 : 0);
    at += bytes.size();
  }
  return at == rendered.text.size();
}

}  // namespace

std::string solar_template_jinja() {
  return R"({%- for message in messages -%}
    {%- if message['role'] == 'system' -%}
        {%- if not loop.first -%}
            {{- raise_exception('A system message must be the first message.') -}}
        {%- endif -%}
        {{- '### System:\n' + message['content'] + '\n\n' -}}
    {%- elif message['role'] == 'user' -%}
        {{- '### User:\n' + message['content'] + '\n\n' -}}
    {%- elif message['role'] == 'assistant' -%}
        {{- '### Assistant:\n' + message['content'] + eos_token + '\n\n' -}}
    {%- else -%}
        {{- raise_exception('Unknown role: ' + message['role']) -}}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- '### Assistant:\n' -}}
{%- endif -%}
)";
}

std::string render_solar_text(const std::vector<Message>& messages, const std::string& eos,
                              GenerationPrompt prompt) {
  return render(messages, eos, prompt).text;
}

RenderedChat render_solar(const std::vector<Message>& messages, const Tokenizer& tokenizer,
                          TokenId eos, GenerationPrompt prompt) {
  const Rendered rendered = render(messages, tokenizer.token_bytes(eos), prompt);
  RenderedChat chat;
  chat.ids = tokenizer.encode(rendered.text, SpecialTokens::skip);
  if (mask_by_bytes(rendered, tokenizer, chat)) return chat;

  // Part by part: the same tokens but for those that would span a border.
  chat = {};
  const auto add = [&](size_t begin, size_t end, uint8_t assistant) {
    const auto ids = tokenizer.encode(std::string_view(rendered.text).substr(begin, end - begin),
                                      SpecialTokens::skip);
    chat.ids.insert(chat.ids.end(), ids.begin(), ids.end());
    chat.assistant.resize(chat.ids.size(), assistant);
  };
  size_t done = 0;
  for (const auto& span : rendered.assistant) {
    add(done, span.begin, 0);
    add(span.begin, span.end, 1);
    done = span.end;
  }
  add(done, rendered.text.size(), 0);
  return chat;
}

}  // namespace helio::text
