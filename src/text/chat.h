// Conversations as token ids with a mask of what the assistant says.
#pragma once

#include <filesystem>
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
// Written beside the tokenizer as chat_template.jinja so that transformers renders the same.
std::string solar_template_jinja();

struct RenderedChat {
  std::vector<TokenId> ids = {};
  std::vector<uint8_t> assistant = {};  // 1 where the token is the assistant's (its eos included)
};

enum class GenerationPrompt { omit, add };  // end with "### Assistant:\n" for the model to go on

RenderedChat render_solar(const std::vector<Message>& messages, const Tokenizer& tokenizer,
                          TokenId eos, GenerationPrompt prompt);
std::string render_solar_text(const std::vector<Message>& messages, const std::string& eos,
                              GenerationPrompt prompt);

}  // namespace helio::text
