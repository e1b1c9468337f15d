// Messages, and the chat layouts that are built in. A model's own layout: chat_format.h.
#pragma once

#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace helio::text {

struct Message {
  std::string role = {};  // "system", "user", "assistant"
  std::string content = {};
};

// The template our own models use, SOLAR's layout:
//   "### System:\n{..}\n\n### User:\n{..}\n\n### Assistant:\n{..}<eos>\n\n"
// Written beside the tokenizer as chat_template.jinja so that transformers renders the same. What
// the assistant says, its eos included, stands in a {% generation %} block.
std::string solar_template_jinja();
// ChatML: "<|im_start|>role\n{..}<|im_end|>\n"; marked likewise.
std::string chatml_template_jinja();

struct RenderedChat {
  std::vector<TokenId> ids = {};
  std::vector<uint8_t> assistant = {};  // 1 where the token is the assistant's
};

enum class GenerationPrompt { omit, add };  // add: end where the assistant begins to speak

}  // namespace helio::text
