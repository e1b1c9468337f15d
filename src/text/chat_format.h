// Conversations and answers as a model reads them: ids in its chat template, and which of them are
// the assistant's.
//
// Ids and masks are those of transformers' apply_chat_template(return_assistant_tokens_mask=True,
// return_dict=True) for templates that mark what the assistant says ({% generation %}). One without
// marks is used when it can be told apart all the same: each assistant message is what rendering it
// adds to what came before with the generation prompt, as TRL splits prompts from completions.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "text/chat.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace helio::text {

// [{"role", "content"}, ...] for ChatTemplate::render.
OrderedJson message_list(const std::vector<Message>& messages);

class ChatFormat {
 public:
  // `setting`: "auto" (the template of the model's folder), "solar", "chatml", or the path of a
  // template. Special tokens are the folder's. `tokenizer` must outlive the format.
  // Error{not_found}: "auto", and the folder has none; Error{invalid}: "chatml" for a tokenizer
  // that has no <|im_end|>, "solar" for one without an end-of-text token, or a broken template.
  static ChatFormat load(const std::filesystem::path& model, const Tokenizer& tokenizer,
                         const std::string& setting = "auto");

  // From a template and special tokens ("eos_token" -> "</s>") in memory.
  ChatFormat(std::string source, std::string name, std::map<std::string, std::string> special,
             const Tokenizer& tokenizer, const std::string& from = {});

  RenderedChat encode(const std::vector<Message>& messages) const;

  // A conversation up to where the assistant begins to speak.
  std::string prompt_text(const std::vector<Message>& messages) const;

  // Several answers to one conversation, split as TRL's trainers split: the prompt is what the
  // template gives with the generation prompt, as far as its ids begin each whole conversation's;
  // an answer is what follows. Where the template has marks the answer ends with its mark (TRL
  // takes all to the end of the text). At least one id of the prompt must stay: Error{invalid}.
  struct Answers {
    std::vector<TokenId> prompt = {};
    std::vector<std::vector<TokenId>> answers = {};
  };
  Answers encode_answers(const std::vector<Message>& prompt,
                         const std::vector<std::string>& answers) const;

  // Texts as they stand, without the template: ids of the prompt (with what the tokenizer adds
  // before a text), and of each answer with the end-of-text token after it.
  Answers encode_plain(const std::string& prompt, const std::vector<std::string>& answers) const;

  const std::string& name() const { return name_; }      // "own", "solar", "chatml", the file
  const std::string& source() const { return source_; }  // the template itself
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  const std::string& eos() const { return eos_; }  // the end-of-text token; empty: none

 private:
  std::vector<jinja::Span> assistant_spans(const std::vector<Message>& messages,
                                           const jinja::Rendered& whole) const;
  std::string text_of(const std::vector<Message>& messages, GenerationPrompt prompt) const;

  std::string source_, name_, eos_;
  ChatTemplate template_;
  const Tokenizer* tokenizer_;
};

}  // namespace helio::text
