// Byte pair encoding: pieces of text to token ids by merging neighbours in order of rank.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/json.h"
#include "text/tokenizer/piece_model.h"
#include "text/tokenizer/vocabulary.h"

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

class BpeModel final : public PieceModel {
 public:
  // "model" of a tokenizer.json. Error{invalid} when it has dropout, or merges of tokens that are
  // not in the vocabulary.
  BpeModel(const Json& json, Alphabet alphabet);
  ~BpeModel() override;

  class Work;
  std::unique_ptr<Scratch> make_scratch() const override;
  void encode(std::string_view piece, Scratch& scratch, std::vector<TokenId>& out) const override;
  void encode_spans(std::string_view piece, Scratch& scratch,
                    std::vector<TokenSpan>& out) const override;

  std::optional<TokenId> id_of(std::string_view token) const override {
    return vocabulary_.id_of(token);
  }
  const std::string* token(TokenId id) const override { return vocabulary_.token(id); }
  size_t tokens() const override { return vocabulary_.size(); }
  TokenId largest_id() const override { return vocabulary_.largest_id(); }

 private:
  enum class Sizes { leave, note };

  void read_merges(const Json& json);
  void prepare_letters();
  void prepare_characters();
  void find_cuts();
  void encode_word(std::string_view word, Work& work, std::vector<TokenId>& out) const;
  void add_bytes(std::string_view piece, Work& work, Sizes sizes) const;
  void add_characters(std::string_view piece, Work& work, Sizes sizes) const;
  TokenId character_id(std::string_view character, char32_t code) const;
  TokenId unknown_id() const;

  Vocabulary vocabulary_ = {};
  MergeTable merges_ = {};
  std::vector<std::pair<TokenId, TokenId>> pairs_ = {};  // only while reading
  Alphabet alphabet_;
  std::string prefix_ = {}, suffix_ = {};
  std::optional<std::string> unknown_ = {};
  bool fuse_unknown_ = false, byte_fallback_ = false, ignore_merges_ = false;

  // With Alphabet::bytes: the vocabulary read back from byte letters.
  std::unordered_map<std::string, TokenId> whole_words_ = {};  // with ignore_merges
  std::array<TokenId, 256> byte_ids_ = {};                     // -1: the vocabulary lacks it

  // With Alphabet::characters.
  std::vector<TokenId> character_ids_ = {};    // by code point; -1: the vocabulary lacks it
  std::array<TokenId, 256> byte_tokens_ = {};  // "<0x0A>"
  // Whether a long piece falls apart before each U+2581 that no merge can join to what stands
  // before it, and the characters that a merge can join it to (sorted).
  bool cuts_ = false;
  std::vector<char32_t> joined_ = {};
};

}  // namespace helio::text
