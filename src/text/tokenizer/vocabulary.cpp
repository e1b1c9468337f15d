#include "text/tokenizer/vocabulary.h"

#include <algorithm>

#include "text/tokenizer/tokenizer_parts.h"

namespace helio::text {
namespace {

constexpr char kDigits[] = "0123456789ABCDEF";

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

void Vocabulary::read(const Json& object) {
  if (!object.is_object()) throw malformed("the vocabulary must be an object of tokens and ids");
  int64_t largest = -1;
  for (const auto& [token, id] : object.items())
    largest = std::max<int64_t>(largest, read_id(id, "token '" + token + "'"));
  // Tables are indexed by ids: a few far ones must not make them huge.
  const auto entries = static_cast<int64_t>(object.size());
  if (largest >= std::max<int64_t>(1 << 16, 16 * entries))
    throw malformed("the vocabulary has " + std::to_string(entries) + " tokens, but an id of " +
                    std::to_string(largest));
  tokens_.resize(static_cast<size_t>(largest + 1));
  ids_.reserve(object.size());
  for (const auto& [token, json_id] : object.items()) {
    const auto id = json_id.get<TokenId>();
    auto& place = tokens_[static_cast<size_t>(id)];
    if (place)
      throw malformed("tokens '" + *place + "' and '" + token + "' have the same id " +
                      std::to_string(id));
    place = token;
    ids_.emplace(*place, id);
  }
  entries_ = object.size();
}

void Vocabulary::set(std::vector<std::string> tokens) {
  tokens_.assign(std::make_move_iterator(tokens.begin()), std::make_move_iterator(tokens.end()));
  ids_.reserve(tokens_.size());
  for (size_t id = 0; id < tokens_.size(); ++id)
    ids_.insert_or_assign(std::string_view(*tokens_[id]), static_cast<TokenId>(id));
  entries_ = tokens_.size();
}

std::array<TokenId, 256> Vocabulary::byte_tokens() const {
  std::array<TokenId, 256> ids = {};
  std::string name = "<0x00>";
  for (size_t byte = 0; byte < 256; ++byte) {
    name[3] = kDigits[byte >> 4];
    name[4] = kDigits[byte & 15];
    ids[byte] = id_of(name).value_or(-1);
  }
  return ids;
}

std::optional<uint8_t> byte_of_token(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
  const int low = digit(token[4]);
  // Rust's parser of numbers takes a sign.
  const int high = token[3] == '+' ? 0 : digit(token[3]);
  if (low < 0 || high < 0) return std::nullopt;
  return static_cast<uint8_t>(high * 16 + low);
}

}  // namespace helio::text
