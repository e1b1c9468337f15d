// Byte pair encoding: pieces of text to token ids by merging neighbours in order of rank.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json.h"
#include "text/tokenizer/merge_table.h"
#include "text/tokenizer/piece_model.h"
#include "text/tokenizer/vocabulary.h"

namespace helio::text {

class SyllableRules;

class BpeModel final : public PieceModel {
 public:
  // "model" of a tokenizer.json. Error{invalid} when it has dropout, or merges of tokens that are
  // not in the vocabulary. `lists` stand for "vocab" and "merges" when given.
  BpeModel(const Json& json, Alphabet alphabet, const ModelLists* lists = nullptr);
  ~BpeModel() override;

  class Work;
  std::unique_ptr<Scratch> make_scratch() const override;
  using PieceModel::encode;
  void encode(const PieceList& list, Scratch& scratch, TokenBuffer& out) const override;
  void encode_spans(std::string_view piece, Scratch& scratch,
                    std::vector<TokenSpan>& out) const override;

  std::optional<TokenId> id_of(std::string_view token) const override {
    return vocabulary_.id_of(token);
  }
  std::optional<std::string_view> token(TokenId id) const override { return vocabulary_.token(id); }
  size_t tokens() const override { return vocabulary_.size(); }
  TokenId largest_id() const override { return vocabulary_.largest_id(); }

 private:
  enum class Sizes { leave, note };

  void read_merges(const MergeEntries& entries, const Json& json);
  void find_byte_ids();
  void find_byte_pairs(const std::vector<std::pair<TokenId, TokenId>>& pairs);
  void prepare_characters();
  void find_cuts();
  void encode_words(const PieceList& list, Work& work, TokenBuffer& out) const;
  void encode_word(std::string_view word, Work& work, TokenBuffer& out) const;
  void find_ids(std::string_view word, Work& work) const;  // into work.ids
  bool add_letters(std::string_view word, Work& work) const;
  void add_bytes(std::string_view piece, Work& work, Sizes sizes) const;
  void add_characters(std::string_view piece, Work& work, Sizes sizes) const;
  TokenId character_id(std::string_view character, char32_t code) const;
  TokenId unknown_id() const;
  const SyllableRules& syllable_rules() const;

  Vocabulary vocabulary_ = {};
  MergeTable merges_ = {};
  std::vector<std::pair<TokenId, TokenId>> pairs_ = {};  // only while reading
  Alphabet alphabet_;
  std::string prefix_ = {}, suffix_ = {};
  std::optional<std::string> unknown_ = {};
  bool fuse_unknown_ = false, byte_fallback_ = false, ignore_merges_ = false;

  // With Alphabet::bytes.
  std::array<TokenId, 256> byte_ids_ = {};      // by byte; -1: the vocabulary lacks its letter
  std::vector<uint32_t> byte_pair_ranks_ = {};  // of merges of two bytes, by both of them
  mutable std::once_flag syllables_once_ = {};  // for the first Korean word
  mutable std::shared_ptr<const SyllableRules> syllables_ = {};

  // With Alphabet::characters.
  std::vector<TokenId> character_ids_ = {};    // by code point; -1: the vocabulary lacks it
  std::array<TokenId, 256> byte_tokens_ = {};  // "<0x0A>"
  // Whether a long piece falls apart before each U+2581 that no merge can join to what stands
  // before it, and the characters that a merge can join it to (sorted).
  bool cuts_ = false;
  std::vector<char32_t> joined_ = {};
};

}  // namespace helio::text
