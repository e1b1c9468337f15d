#include "serve/token_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "text/utf8.h"

namespace helio::serve {

bool ServedModel::is_special(text::TokenId id) const {
  const auto& added = tokenizer->added_tokens();  // by id
  const auto at = std::lower_bound(added.begin(), added.end(), id,
                                   [](const text::AddedToken& a, text::TokenId b) { return a.id < b; });
  return at != added.end() && at->id == id && at->special;
}

std::string token_bytes(const ServedModel& model, text::TokenId id) {
  if (id < 0 || id >= model.tokenizer->vocab_size()) return "";
  try {
    return model.tokenizer->token_bytes(id);
  } catch (const std::exception&) {
    return "";  // a hole in the vocabulary
  }
}

std::string token_name(const ServedModel& model, text::TokenId id) {
  std::string bytes = token_bytes(model, id);
  if (bytes.empty()) return fmt::format("token_id:{}", id);
  if (text::is_valid_utf8(bytes)) return bytes;
  std::string name = "bytes:";
  for (const char byte : bytes) name += fmt::format("\\x{:02x}", static_cast<uint8_t>(byte));
  return name;
}

int64_t begun_characters(std::string_view bytes) {
  return std::count_if(bytes.begin(), bytes.end(),
                       [](char byte) { return (static_cast<uint8_t>(byte) & 0xC0) != 0x80; });
}

OrderedJson chat_log_prob(const ServedModel& model, const model::TokenScore& score, size_t top) {
  const auto entry = [&](text::TokenId id, float log_prob) {
    OrderedJson bytes = OrderedJson::array();
    for (const char byte : token_bytes(model, id)) bytes.push_back(static_cast<uint8_t>(byte));
    return OrderedJson{{"token", token_name(model, id)}, {"logprob", log_prob}, {"bytes", bytes}};
  };
  OrderedJson out = entry(score.id, score.log_prob);
  OrderedJson tops = OrderedJson::array();
  for (size_t i = 0; i < std::min(top, score.top.size()); ++i)
    tops.push_back(entry(score.top[i].first, score.top[i].second));
  out["top_logprobs"] = std::move(tops);
  return out;
}

void CompletionLogProbs::add_first(const ServedModel& model, text::TokenId id) {
  tokens_.push_back(token_name(model, id));
  numbers_.push_back(nullptr);
  tops_.push_back(nullptr);
  offsets_.push_back(offset_);
  offset_ += begun_characters(token_bytes(model, id));
}

void CompletionLogProbs::add(const ServedModel& model, const model::TokenScore& score, size_t top) {
  const std::string name = token_name(model, score.id);
  tokens_.push_back(name);
  // One number, written the same wherever it stands: clients compare for equality.
  numbers_.push_back(score.log_prob);
  OrderedJson tops = OrderedJson::object();
  for (size_t i = 0; i < std::min(top, score.top.size()); ++i)
    tops.emplace(token_name(model, score.top[i].first), score.top[i].second);
  tops.emplace(name, score.log_prob);  // the token itself, as OpenAI adds it
  tops_.push_back(top > 0 ? std::move(tops) : OrderedJson());
  offsets_.push_back(offset_);
  offset_ += begun_characters(token_bytes(model, score.id));
}

OrderedJson CompletionLogProbs::take() {
  OrderedJson out{{"tokens", std::move(tokens_)},
                  {"token_logprobs", std::move(numbers_)},
                  {"top_logprobs", std::move(tops_)},
                  {"text_offset", std::move(offsets_)}};
  *this = CompletionLogProbs(offset_);
  return out;
}

}  // namespace helio::serve
