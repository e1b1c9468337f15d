// What each id is decoded to, all of it in one piece of memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"
#include "text/tokenizer/big_pages.h"

namespace helio::text {

class TokenTexts {
 public:
  enum class Kind : uint8_t { unused, ordinary, special };
  // A byte is one of a run of byte tokens, which together may or may not be UTF-8.
  enum class Value : uint8_t { text, byte };

  void resize(size_t ids) { entries_.resize(ids); }
  void reserve(size_t bytes) { bytes_.reserve(bytes); }
  size_t size() const { return entries_.size(); }

  // Sets what an id is decoded to. Error{invalid} beyond 4 GB.
  void put(TokenId id, std::string_view text, Value value = Value::text);
  // The same for a token in byte letters: the bytes they stand for, or the token where some
  // character is no byte's letter.
  void put_letters(TokenId id, std::string_view token);
  void set_kind(TokenId id, Kind kind) { entries_[static_cast<size_t>(id)].kind = kind; }

  bool has(TokenId id) const {
    return id >= 0 && static_cast<size_t>(id) < entries_.size() &&
           entries_[static_cast<size_t>(id)].kind != Kind::unused;
  }
  Kind kind(TokenId id) const { return entries_[static_cast<size_t>(id)].kind; }
  Value value(TokenId id) const { return entries_[static_cast<size_t>(id)].value; }
  std::string_view text(TokenId id) const {
    const Entry& entry = entries_[static_cast<size_t>(id)];
    return {bytes_.data() + entry.begin, entry.size};
  }

  // The texts of the ids side by side; unused and, with SpecialTokens::skip, special ones are left
  // out.
  std::string joined(const std::vector<TokenId>& ids, SpecialTokens special) const;
  // The same where runs of bytes that are no UTF-8 become a U+FFFD each.
  std::string joined_with_bytes(const std::vector<TokenId>& ids, SpecialTokens special) const;

 private:
  struct Entry {
    uint32_t begin = 0, size = 0;
    Kind kind = Kind::unused;
    Value value = Value::text;
  };
  // Calls visit(const Entry&) for each id that is not left out.
  template <class Visit>
  void for_each(const std::vector<TokenId>& ids, SpecialTokens special, Visit&& visit) const {
    const Kind least = special == SpecialTokens::skip ? Kind::ordinary : Kind::special;
    for (const TokenId id : ids) {
      if (static_cast<uint32_t>(id) >= entries_.size()) continue;
      const Entry& entry = entries_[static_cast<size_t>(id)];
      if (entry.kind != Kind::unused && entry.kind <= least) visit(entry);
    }
  }

  std::string bytes_ = {};
  BigVector<Entry> entries_ = {};  // by id
};

}  // namespace helio::text
