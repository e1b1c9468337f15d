// Byte-level BPE: pieces of text to token ids by merging neighbours in order of rank.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/json.h"
#include "text/tokenizer.h"

namespace helio::text {

// The merges as a table from a pair of ids to its rank and the id it becomes.
class MergeTable {
 public:
  struct Entry {
    uint64_t pair = kNone;
    uint32_t rank = 0;
    TokenId id = 0;
  };
  static constexpr uint64_t kNone = ~uint64_t(0);

  void reserve(size_t merges);
  void set(TokenId left, TokenId right, uint32_t rank, TokenId id);  // replaces an older entry
  const Entry* find(TokenId left, TokenId right) const {
    if (slots_.empty()) return nullptr;
    const uint64_t pair = key(left, right);
    for (size_t i = place(pair);; i = (i + 1) & mask_) {
      if (slots_[i].pair == pair) return &slots_[i];
      if (slots_[i].pair == kNone) return nullptr;
    }
  }

 private:
  static uint64_t key(TokenId left, TokenId right) {
    return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) |
           static_cast<uint32_t>(right);
  }
  size_t place(uint64_t pair) const {
    return static_cast<size_t>((pair * 0x9E3779B97F4A7C15ull) >> shift_) & mask_;
  }
  std::vector<Entry> slots_ = {};
  size_t mask_ = 0;
  int shift_ = 63;
};

class BpeModel {
 public:
  // "model" of a tokenizer.json. Error{invalid} when it is no BPE, has dropout, byte fallback,
  // affixes, repeated ids, or merges of tokens that are not in the vocabulary.
  explicit BpeModel(const Json& json);
  ~BpeModel();

  // What encoding writes to: buffers and a cache of words seen lately. One for each thread.
  class Scratch;
  static std::unique_ptr<Scratch> make_scratch();

  // Appends the ids of one piece.
  void encode(std::string_view piece, Scratch& scratch, std::vector<TokenId>& out) const;

  std::optional<TokenId> id_of(std::string_view token) const;
  const std::string* token(TokenId id) const;  // as written in the vocabulary; null when unused
  size_t tokens() const { return ids_.size(); }
  TokenId largest_id() const { return static_cast<TokenId>(tokens_.size()) - 1; }

 private:
  void read_vocabulary(const Json& json);
  void read_merges(const Json& json);
  void merge(std::string_view piece, Scratch& scratch) const;

  std::vector<std::optional<std::string>> tokens_ = {};        // by id
  std::unordered_map<std::string_view, TokenId> ids_ = {};     // views into tokens_
  std::unordered_map<std::string, TokenId> whole_words_ = {};  // bytes to id, with ignore_merges
  std::array<TokenId, 256> byte_ids_ = {};                     // -1: the vocabulary lacks it
  MergeTable merges_ = {};
  TokenId unknown_ = -1;
  bool fuse_unknown_ = false;
};

}  // namespace helio::text
