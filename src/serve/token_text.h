// How tokens are written in answers.
#pragma once

#include <string>
#include <string_view>

#include "core/json.h"
#include "model/generation.h"
#include "serve/served_model.h"

namespace helio::serve {

// A token's bytes; for ids that the tokenizer does not know (rows that only pad the embedding) none.
std::string token_bytes(const ServedModel& model, text::TokenId id);
// Its text, or "bytes:\xEC\x95" when its bytes are no whole characters: unlike U+FFFD that is another
// text for every token, so that clients may use it as a key.
std::string token_name(const ServedModel& model, text::TokenId id);
// Characters that begin in these bytes: what a position in a text grows by.
int64_t begun_characters(std::string_view bytes);

// One entry of a chat choice's logprobs.content.
OrderedJson chat_log_prob(const ServedModel& model, const model::TokenScore& score, size_t top);

// A completion choice's logprobs, grown token by token.
class CompletionLogProbs {
 public:
  explicit CompletionLogProbs(int64_t text_offset = 0) : offset_(text_offset) {}
  void add_first(const ServedModel& model, text::TokenId id);  // a prompt's first: no number
  void add(const ServedModel& model, const model::TokenScore& score, size_t top);
  OrderedJson take();

 private:
  OrderedJson tokens_ = OrderedJson::array(), numbers_ = OrderedJson::array(),
              tops_ = OrderedJson::array(), offsets_ = OrderedJson::array();
  int64_t offset_;
};

}  // namespace helio::serve
