#include "text/tokenizer/word_models.h"

#include "text/tokenizer/tokenizer_parts.h"
#include "text/tokenizer/word_cache.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

class Work final : public PieceModel::Scratch {
 public:
  CachedWords words = {};
  std::vector<TokenSpan> spans = {};
};

}  // namespace

std::unique_ptr<PieceModel::Scratch> WordModel::make_scratch() const {
  return std::make_unique<Work>();
}

void WordModel::read(const Json& json, const char* of) {
  vocabulary_.read(member(json, "vocab", of));
  unknown_ = text_member(json, "unk_token", of);
}

TokenId WordModel::unknown() const {
  const auto id = vocabulary_.id_of(unknown_);
  if (!id)
    throw malformed("the text has a word that the vocabulary lacks, and the unknown token '" +
                    unknown_ + "' is not in it either");
  return *id;
}

void WordModel::encode(const PieceList& list, Scratch& scratch, TokenBuffer& out) const {
  auto& work = static_cast<Work&>(scratch);
  const auto encode_word = [&](std::string_view piece, TokenBuffer& to) {
    work.spans.clear();
    encode_spans(piece, scratch, work.spans);
    for (const auto& span : work.spans) to.push_back(span.id);
  };
  work.words.encode(list.text, list.pieces, list.count, out, encode_word);
}

WordPieceModel::WordPieceModel(const Json& json) {
  const char* of = "the WordPiece model";
  read(json, of);
  const std::string prefix = text_member(json, "continuing_subword_prefix", of);
  const Json& longest = member(json, "max_input_chars_per_word", of);
  if (!longest.is_number_unsigned() || longest.get<uint64_t>() > (uint64_t(1) << 40))
    throw malformed("max_input_chars_per_word must be a whole number");
  longest_word_ = longest.get<int64_t>();
  std::vector<std::pair<std::string_view, int32_t>> first, later;
  vocabulary_.for_each([&](std::string_view token, TokenId id) {
    first.emplace_back(token, id);
    if (token.starts_with(prefix)) later.emplace_back(token.substr(prefix.size()), id);
  });
  first_ = FlatTrie(std::move(first));
  later_ = FlatTrie(std::move(later));
}

void WordPieceModel::encode_spans(std::string_view piece, Scratch&,
                                  std::vector<TokenSpan>& out) const {
  const size_t before = out.size();
  const auto whole_is_unknown = [&] {
    out.resize(before);
    out.push_back({unknown(), 0, piece.size()});
  };
  if (count_code_points(piece) > longest_word_) return whole_is_unknown();
  for (size_t at = 0; at < piece.size();) {
    TokenSpan found{-1, at, at};
    (at == 0 ? first_ : later_).prefixes(piece.substr(at), [&](size_t length, int32_t id) {
      // Tokens of hostile files can end inside a character.
      found = {id, at, at + length};
    });
    if (found.id < 0) return whole_is_unknown();
    out.push_back(found);
    at = found.end;
  }
}

WordLevelModel::WordLevelModel(const Json& json) { read(json, "the WordLevel model"); }

void WordLevelModel::encode_spans(std::string_view piece, Scratch&,
                                  std::vector<TokenSpan>& out) const {
  const auto id = vocabulary_.id_of(piece);
  out.push_back({id ? *id : unknown(), 0, piece.size()});
}

}  // namespace helio::text
