// Tokens and ids of a model, both ways.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/json.h"
#include "text/tokenizer.h"

namespace helio::text {

class Vocabulary {
 public:
  Vocabulary() = default;
  Vocabulary(const Vocabulary&) = delete;  // ids_ has views into tokens_
  Vocabulary& operator=(const Vocabulary&) = delete;

  // "vocab" of BPE, WordPiece and WordLevel: an object of tokens and ids.
  void read(const Json& object);
  // Unigram's: ids by place; of equal tokens the last has the name.
  void set(std::vector<std::string> tokens);

  std::optional<TokenId> id_of(std::string_view token) const {
    const auto found = ids_.find(token);
    if (found == ids_.end()) return std::nullopt;
    return found->second;
  }
  const std::string* token(TokenId id) const {
    if (id < 0 || static_cast<size_t>(id) >= tokens_.size()) return nullptr;
    const auto& token = tokens_[static_cast<size_t>(id)];
    return token ? &*token : nullptr;
  }
  size_t size() const { return entries_; }
  TokenId largest_id() const { return static_cast<TokenId>(tokens_.size()) - 1; }
  const std::unordered_map<std::string_view, TokenId>& ids() const { return ids_; }

  // Ids of "<0x00>" to "<0xFF>", -1 where there is none.
  std::array<TokenId, 256> byte_tokens() const;

 private:
  std::vector<std::optional<std::string>> tokens_ = {};     // by id
  std::unordered_map<std::string_view, TokenId> ids_ = {};  // views into tokens_
  size_t entries_ = 0;
};

// The byte of "<0x0A>", or nothing for other tokens.
std::optional<uint8_t> byte_of_token(std::string_view token);

}  // namespace helio::text
