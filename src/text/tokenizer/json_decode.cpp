// Decoding with a tokenizer.json.
#include <algorithm>
#include <utility>

#include "text/tokenizer/json_tokenizer.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/tokenizer/vocabulary.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

using Kind = TokenTexts::Kind;

bool is_left_out(Kind kind, SpecialTokens special) {
  return kind == Kind::special && special == SpecialTokens::skip;
}

}  // namespace

// All tokens go through the decoder's first steps at once, so that decoding only copies.
const TokenTexts& JsonTokenizer::planned() const {
  std::call_once(planned_once_, [&] {
    const auto count = static_cast<TokenId>(written_.size());
    std::vector<std::string> tokens = {""};  // the first one, which may be another matter
    tokens.reserve(written_.size() + 1);
    for (TokenId id = 0; id < count; ++id) tokens.emplace_back(written_.text(id));
    decoder_.change_alone(tokens);
    planned_.resize(written_.size());
    for (TokenId id = 0; id < count; ++id) {
      const auto& text = tokens[static_cast<size_t>(id) + 1];
      const auto byte = decoder_.plan()->bytes == TokenDecoder::Plan::Bytes::fall_back
                            ? byte_of_token(text)
                            : std::nullopt;
      if (byte) {
        const char c = static_cast<char>(*byte);
        planned_.put(id, {&c, 1}, TokenTexts::Value::byte);
      } else {
        planned_.put(id, text);
      }
      planned_.set_kind(id, written_.kind(id));
    }
  });
  return planned_;
}

std::string JsonTokenizer::decode_planned(const std::vector<TokenId>& ids,
                                          SpecialTokens special) const {
  const auto& plan = *decoder_.plan();
  const auto& texts = planned();
  if (plan.first == TokenDecoder::Plan::First::as_others)
    return decoder_.finish(texts.joined_with_bytes(ids, special));
  size_t first = 0;
  while (first < ids.size() &&
         (!texts.has(ids[first]) || is_left_out(texts.kind(ids[first]), special)))
    ++first;
  if (first == ids.size()) return decoder_.finish("");
  std::vector<std::string> token = {std::string(written_.text(ids[first]))};
  decoder_.change_alone(token);
  // Bytes may go on behind it: then all is as with the other tokens.
  if (plan.bytes == TokenDecoder::Plan::Bytes::fall_back && byte_of_token(token[0]))
    return decoder_.finish(texts.joined_with_bytes(ids, special));
  const std::vector<TokenId> others(ids.begin() + static_cast<std::ptrdiff_t>(first) + 1,
                                    ids.end());
  return decoder_.finish(token[0] + texts.joined_with_bytes(others, special));
}

std::string JsonTokenizer::decode(const std::vector<TokenId>& ids, SpecialTokens special) const {
  std::string bytes;
  if (decoder_.kind() == TokenDecoder::Kind::joined_bytes) {
    bytes = written_.joined(ids, special);
  } else if (decoder_.plan()) {
    bytes = decode_planned(ids, special);
  } else {
    std::vector<std::string> tokens;
    for (const TokenId id : ids)
      if (written_.has(id) && !is_left_out(written_.kind(id), special))
        tokens.emplace_back(written_.text(id));
    if (decoder_.kind() == TokenDecoder::Kind::chain) {
      bytes = decoder_.decode(std::move(tokens));
    } else {
      // Without a decoder HF puts the tokens as they are written side by side.
      for (size_t i = 0; i < tokens.size(); ++i) (bytes += i == 0 ? "" : " ") += tokens[i];
    }
  }
  return is_valid_utf8(bytes) ? bytes : repair_utf8(bytes);
}

std::string JsonTokenizer::token_bytes(TokenId id) const {
  if (!written_.has(id))
    throw Error(ErrorKind::invalid, "no token has id " + std::to_string(id))
        .with_hint("this vocabulary has " + std::to_string(vocab_size()) + " ids");
  const std::string token(written_.text(id));
  return decoder_.kind() == TokenDecoder::Kind::joined_bytes ? token : decoder_.bytes_of(token);
}

}  // namespace helio::text
