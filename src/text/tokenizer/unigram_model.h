// Unigram language models (SentencePiece): the most likely cut of a piece into tokens.
#pragma once

#include <array>

#include "text/tokenizer/flat_trie.h"
#include "text/tokenizer/piece_model.h"
#include "text/tokenizer/vocabulary.h"

namespace helio::text {

class UnigramModel final : public PieceModel {
 public:
  explicit UnigramModel(const Json& json);

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
  struct Best;
  class Work;
  void find_path(std::string_view piece, Work& work) const;
  void add(std::string_view piece, size_t begin, size_t end, TokenId id,
           std::vector<TokenSpan>& out) const;

  Vocabulary vocabulary_ = {};
  std::vector<double> scores_ = {};  // by id
  FlatTrie trie_ = {};
  std::array<TokenId, 256> byte_tokens_ = {};
  TokenId unknown_ = -1;
  double unknown_score_ = 0;
  bool byte_fallback_ = false;
};

}  // namespace helio::text
