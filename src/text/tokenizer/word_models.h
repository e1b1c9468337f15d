// Models that look words up: WordPiece takes the longest known beginnings, WordLevel whole words.
#pragma once

#include "text/tokenizer/flat_trie.h"
#include "text/tokenizer/piece_model.h"
#include "text/tokenizer/vocabulary.h"

namespace helio::text {

class WordModel : public PieceModel {
 public:
  std::unique_ptr<Scratch> make_scratch() const override;
  using PieceModel::encode;
  void encode(const PieceList& list, Scratch& scratch, TokenBuffer& out) const override;
  std::optional<TokenId> id_of(std::string_view token) const override {
    return vocabulary_.id_of(token);
  }
  std::optional<std::string_view> token(TokenId id) const override { return vocabulary_.token(id); }
  size_t tokens() const override { return vocabulary_.size(); }
  TokenId largest_id() const override { return vocabulary_.largest_id(); }

 protected:
  void read(const Json& json, const char* of);
  TokenId unknown() const;  // Error{invalid} when the vocabulary lacks it

  Vocabulary vocabulary_ = {};
  std::string unknown_ = {};
};

class WordPieceModel final : public WordModel {
 public:
  explicit WordPieceModel(const Json& json);
  void encode_spans(std::string_view piece, Scratch& scratch,
                    std::vector<TokenSpan>& out) const override;

 private:
  FlatTrie first_ = {}, later_ = {};  // tokens that begin words, and that continue them
  int64_t longest_word_ = 100;        // characters; longer words are unknown
};

class WordLevelModel final : public WordModel {
 public:
  explicit WordLevelModel(const Json& json);
  void encode_spans(std::string_view piece, Scratch& scratch,
                    std::vector<TokenSpan>& out) const override;
};

}  // namespace helio::text
