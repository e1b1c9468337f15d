// A model's own chat template: conversations as text, with the places of what the assistant says,
// as transformers' apply_chat_template (5.23) renders them.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "text/jinja/template.h"
#include "text/tokenizer.h"

namespace helio::text {

// What a model folder says of chats, in transformers' order: chat_template.jinja and
// additional_chat_templates/*.jinja, else "chat_template" of tokenizer_config.json (a text, or a
// list of {name, template}). Special tokens: tokenizer_config.json, and special_tokens_map.json
// over it when the former lists no added_tokens_decoder.
struct ChatFiles {
  struct Source {
    std::string text = {}, from = {};  // from: the file, for errors
  };
  std::map<std::string, Source> templates = {};     // "default", "tool_use" ...
  std::map<std::string, std::string> special = {};  // "bos_token" -> "<s>" ...
};
// A folder without any of these files gives nothing. Of a GGUF file what its metadata has.
// Error{invalid}: a file that is not what it must be.
ChatFiles load_chat_files(const std::filesystem::path& dir);

enum class FinalMessage : uint8_t { complete, to_be_continued };

struct ChatRequest {
  const OrderedJson* tools = nullptr;      // list of JSON schemas; null: none
  const OrderedJson* documents = nullptr;  // list of objects
  bool generation_prompt = false;
  FinalMessage final_message = FinalMessage::complete;  // to_be_continued: the text ends in it
  std::map<std::string, OrderedJson> variables = {};  // more of them; they win over special tokens
};

class ChatTemplate {
 public:
  // `name` names it in errors. Error{invalid}: "name:line:column: ...".
  ChatTemplate(const std::string& source, const std::string& name,
               std::map<std::string, std::string> special);

  // The template of a model folder: `which` is a name among its templates, or empty (with tools
  // "tool_use" where there is one, else "default"). Error{not_found}: there is none.
  static ChatTemplate load(const std::filesystem::path& dir, const std::string& which = {},
                           const OrderedJson* tools = nullptr);

  // Text and the assistant's places in it (empty when the template has no {% generation %}).
  // Messages are objects; members that are null are left out; reasoning_content, thinking and
  // reasoning stand for each other, as in transformers.
  jinja::Rendered render(const OrderedJson& messages, const ChatRequest& request = {},
                         const jinja::RenderOptions& options = {}) const;
  const std::string& source() const { return source_; }
  bool marks_assistant() const { return template_.has_generation(); }

 private:
  std::string source_;
  jinja::Template template_;
  std::map<std::string, std::string> special_;
};

// 1 for each token that is the assistant's, by transformers' rule: from the token that has the
// span's first character to the one that has its last. Where no token has the last character, all
// to the end.
std::vector<uint8_t> assistant_mask(const Encoding& encoding,
                                    const std::vector<jinja::Span>& spans);

}  // namespace helio::text
