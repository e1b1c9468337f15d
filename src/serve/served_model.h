// A model as the server offers it: a name, its texts and its engine.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/json.h"
#include "model/generation.h"
#include "serve/grammar_store.h"
#include "serve/tool_format.h"
#include "text/tokenizer.h"

namespace helio::serve {

struct ChatPrompt {
  const OrderedJson& messages;
  OrderedJson tools = nullptr;      // null: none
  OrderedJson variables = nullptr;  // further names of the template ("enable_thinking")
  bool generation_prompt = true;
};

struct ServedModel {
  std::string name = {};
  int64_t created = 0;                        // seconds since 1970
  OrderedJson facts = OrderedJson::object();  // further members of its card in /v1/models
  std::unique_ptr<text::Tokenizer> tokenizer = {};
  text::SpecialIds special_ids = {};
  std::vector<text::TokenId> stop_ids = {};  // what ends an answer: generation_config.json's eos
  // Renders messages with the model's chat template; empty when it has none. Throws Error{invalid}
  // for messages that the template refuses.
  std::function<std::string(const ChatPrompt&)> render_chat = {};
  std::string chat_template = {};
  ToolFormat tool_format = ToolFormat::none;
  std::unique_ptr<GrammarStore> grammars = {};
  std::unique_ptr<model::GenerationEngine> engine = {};

  bool is_special(text::TokenId id) const;
};

}  // namespace helio::serve
