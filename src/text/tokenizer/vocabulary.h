// Tokens and ids of a model, both ways.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "text/tokenizer.h"
#include "text/tokenizer/model_lists.h"
#include "text/tokenizer/text_hash.h"

namespace helio::text {

class Vocabulary {
 public:
  Vocabulary() = default;
  Vocabulary(const Vocabulary&) = delete;  // tokens_ has views into texts_
  Vocabulary& operator=(const Vocabulary&) = delete;

  // "vocab" of BPE, WordPiece and WordLevel: an object of tokens and ids.
  void read(const Json& object) { set(read_token_entries(object)); }
  // The same; the texts are copied. Error{invalid} when two have the same text or id.
  void set(const TokenEntries& entries);
  // Unigram's: ids by place; of equal tokens the last has the name.
  void set(const std::vector<std::string>& tokens);

  std::optional<TokenId> id_of(std::string_view token) const {
    const TokenId id = find(token, hash_text(token));
    return id < 0 ? std::nullopt : std::optional(id);
  }
  // For many at once: the hash is hash_text() of the token, -1 is none.
  TokenId find(std::string_view token, uint64_t hash) const {
    if (slots_.empty()) return -1;
    for (size_t i = hash & mask_;; i = (i + 1) & mask_) {
      const Slot slot = slots_[i];
      if (slot.id < 0) return -1;
      if (slot.tag == tag(hash) && tokens_[static_cast<size_t>(slot.id)] == token) return slot.id;
    }
  }
  // For many at once, in steps with time between them: fetch where to look; which token it most
  // likely is (-1: it is none); fetch that one's text; see whether it is the one.
  void prefetch_slot(uint64_t hash) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[hash & mask_]);
  }
  TokenId probable(uint64_t hash) const {
    if (slots_.empty()) return -1;
    for (size_t i = hash & mask_; slots_[i].id >= 0; i = (i + 1) & mask_)
      if (slots_[i].tag == tag(hash)) return slots_[i].id;
    return -1;
  }
  void prefetch_token(TokenId id) const {
    if (id >= 0) __builtin_prefetch(&tokens_[static_cast<size_t>(id)]);
  }
  void prefetch_text(TokenId id) const {
    if (id >= 0) __builtin_prefetch(tokens_[static_cast<size_t>(id)].data());
  }
  // Whether the token's text is these two, one behind the other.
  bool is(TokenId id, std::string_view first, std::string_view second = {}) const {
    if (id < 0 || static_cast<size_t>(id) >= tokens_.size()) return false;
    const std::string_view text = tokens_[static_cast<size_t>(id)];
    return text.data() && text.size() == first.size() + second.size() &&
           equal_bytes(text.data(), first.data(), first.size()) &&
           equal_bytes(text.data() + first.size(), second.data(), second.size());
  }

  std::optional<std::string_view> token(TokenId id) const {
    if (id < 0 || static_cast<size_t>(id) >= tokens_.size()) return std::nullopt;
    const auto token = tokens_[static_cast<size_t>(id)];
    return token.data() ? std::optional(token) : std::nullopt;
  }
  size_t size() const { return entries_; }
  TokenId largest_id() const { return static_cast<TokenId>(tokens_.size()) - 1; }

  // Calls visit(std::string_view token, TokenId id) for each text once, by id.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (size_t id = 0; id < tokens_.size(); ++id)
      if (tokens_[id].data() && !(has_doubles_ && id_of(tokens_[id]) != static_cast<TokenId>(id)))
        visit(tokens_[id], static_cast<TokenId>(id));
  }

  // Ids of "<0x00>" to "<0xFF>", -1 where there is none.
  std::array<TokenId, 256> byte_tokens() const;

 private:
  struct Slot {
    uint32_t tag = 0;
    TokenId id = -1;
  };
  static uint32_t tag(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }
  void make_room(size_t ids, size_t entries, size_t bytes);
  // Puts a text in; the id that had it before, or -1.
  TokenId put(std::string_view text, TokenId id, uint64_t hash);

  BigVector<char> texts_ = {};
  BigVector<std::string_view> tokens_ = {};  // by id; without data: unused
  BigVector<Slot> slots_ = {};               // by hash
  size_t mask_ = 0, entries_ = 0;
  bool has_doubles_ = false;
};

// The byte of "<0x0A>", or nothing for other tokens.
std::optional<uint8_t> byte_of_token(std::string_view token);

}  // namespace helio::text
