#include "text/tokenizer/sentencepiece_model.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "text/tokenizer/bpe_model.h"
#include "text/tokenizer/piece_cuts.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

constexpr const char* kOf = "the SentencePiece model";
constexpr std::string_view kMark = "\u2581";
constexpr float kUnknownPenalty = 10.0f;
constexpr float kResetAt = 100000.0f;  // scores of long texts are brought back to zero

enum class Type : uint8_t { normal = 1, unknown, control, user_defined, unused, byte };

// A step of the best way through a text.
struct Step {
  float score = 0;
  TokenId id = 0;
  size_t begin = kNone;
  static constexpr size_t kNone = ~size_t(0);
};

class Work final : public PieceModel::Scratch {
 public:
  std::vector<Step> best = {};
  std::vector<TokenSpan> path = {}, spans = {}, inner_spans = {};
  std::unique_ptr<PieceModel::Scratch> inner = {};
};

class Model final : public PieceModel {
 public:
  explicit Model(const Json& json);

  std::unique_ptr<Scratch> make_scratch() const override {
    auto work = std::make_unique<Work>();
    if (bpe_) work->inner = bpe_->make_scratch();
    return work;
  }
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
  enum class Algorithm { unigram, bpe, word, character };
  struct Piece {
    float score = 0;
    Type type = Type::normal;
  };

  void read_pieces(const Json& json);
  void make_bpe();
  float score_of(TokenId id, size_t length) const;
  void add_unigram(std::string_view text, Work& work, std::vector<TokenSpan>& out) const;
  void add_words(std::string_view text, std::vector<TokenSpan>& out) const;
  void add_characters(std::string_view text, std::vector<TokenSpan>& out) const;
  void add_bpe(std::string_view text, size_t begin, Work& work, std::vector<TokenSpan>& out) const;
  void add(std::string_view text, TokenSpan span, std::vector<TokenSpan>& out) const;
  TokenId find(std::string_view text) const;
  // The size of the user-defined symbol that the text begins with, and its id; 0: none.
  std::pair<size_t, TokenId> symbol(std::string_view text) const;

  Algorithm algorithm_ = Algorithm::unigram;
  bool byte_fallback_ = false, has_symbols_ = false;
  TokenId unknown_ = -1;
  Vocabulary vocabulary_ = {};
  std::vector<Piece> pieces_ = {};
  FlatTrie found_ = {};    // pieces that are looked for in texts
  FlatTrie symbols_ = {};  // the user-defined ones
  std::array<TokenId, 256> byte_tokens_ = {};
  float unknown_score_ = 0;
  std::unique_ptr<BpeModel> bpe_ = {};
  size_t strangers_ = 0;  // characters that are in pieces but are none: ids behind the vocabulary
};

Model::Model(const Json& json) {
  const std::string name = text_member(json, "algorithm", kOf);
  if (name == "unigram") algorithm_ = Algorithm::unigram;
  else if (name == "bpe") algorithm_ = Algorithm::bpe;
  else if (name == "word") algorithm_ = Algorithm::word;
  else if (name == "char") algorithm_ = Algorithm::character;
  else throw unsupported("SentencePiece's algorithm", name, "unigram, bpe, word, char");
  byte_fallback_ = flag_member(json, "byte_fallback", kOf, false);
  read_pieces(member(json, "pieces", kOf));
  if (algorithm_ == Algorithm::bpe) make_bpe();
}

void Model::read_pieces(const Json& json) {
  if (!json.is_array() || json.size() > static_cast<size_t>(kLargestId))
    throw malformed(std::string(kOf) + ": 'pieces' must be a list of at most " +
                    std::to_string(kLargestId));
  std::vector<std::string> texts;
  texts.reserve(json.size());
  for (const auto& item : json) {
    if (!item.is_array() || item.size() != 3 || !item[0].is_string() || !item[1].is_number() ||
        !item[2].is_number_unsigned() || item[2] < 1 || item[2] > 6)
      throw malformed(std::string(kOf) + ": piece " + std::to_string(texts.size()) +
                      " must be a text, a score and a type");
    texts.push_back(item[0].get<std::string>());
    pieces_.push_back({item[1].get<float>(), static_cast<Type>(item[2].get<int>())});
    if (!std::isfinite(pieces_.back().score))
      throw malformed(std::string(kOf) + " has a score that is no number");
    if (texts.back().empty()) throw malformed(std::string(kOf) + " has an empty piece");
  }
  vocabulary_.set(texts);
  bool any = false;
  float least = 0;
  std::vector<std::pair<std::string_view, int32_t>> found, symbols;
  for (size_t id = 0; id < pieces_.size(); ++id) {
    const auto& [score, type] = pieces_[id];
    const std::string_view text = *vocabulary_.token(static_cast<TokenId>(id));
    if (type == Type::unknown) unknown_ = static_cast<TokenId>(id);
    if (type == Type::unused) throw malformed(std::string(kOf) + " has an unused piece");
    if (type == Type::normal) least = std::exchange(any, true) ? std::min(least, score) : score;
    if (type == Type::normal || type == Type::user_defined)
      found.emplace_back(text, static_cast<int32_t>(id));
    if (type == Type::user_defined) symbols.emplace_back(text, static_cast<int32_t>(id));
  }
  if (unknown_ < 0) throw malformed(std::string(kOf) + " has no unknown piece");
  unknown_score_ = least - kUnknownPenalty;
  has_symbols_ = !symbols.empty();
  found_ = FlatTrie(std::move(found));
  symbols_ = FlatTrie(std::move(symbols));
  byte_tokens_ = vocabulary_.byte_tokens();
  if (byte_fallback_ && std::count(byte_tokens_.begin(), byte_tokens_.end(), -1) > 0)
    throw malformed(std::string(kOf) + " lacks pieces of bytes");
}

// An ordinary BPE model that knows the pieces found in texts; it numbers them as they are here.
void Model::make_bpe() {
  Json vocabulary = Json::object(), merges = Json::array();
  std::vector<ScoredPiece> scored;
  for (size_t id = 0; id < pieces_.size(); ++id) {
    const std::string text(*vocabulary_.token(static_cast<TokenId>(id)));
    const Type type = pieces_[id].type;
    if (type == Type::control) continue;
    vocabulary[text] = id;
    if (type == Type::normal)
      scored.push_back({*vocabulary_.token(static_cast<TokenId>(id)), pieces_[id].score});
  }
  const auto rules = merges_by_score(scored);
  Json ranks = Json::array();
  size_t rank = 0;
  for (size_t i = 0; i < rules.size(); ++i) {
    const auto& [left, right, score] = rules[i];
    for (const std::string_view side : {left, right}) {
      const std::string text(side);
      if (!vocabulary.contains(text)) vocabulary[text] = pieces_.size() + strangers_++;
    }
    // Equal scores are merged from left to right, whatever they make. (Llama 2 and Mistral give all
    // runs of spaces one score.) Rules come from the best score down.
    if (i > 0 && score_before(score, rules[i - 1].score)) ++rank;
    merges.push_back({left, right});
    ranks.push_back(rank);
  }
  bpe_ = std::make_unique<BpeModel>(Json{{"type", "BPE"},
                                         {"vocab", std::move(vocabulary)},
                                         {"merges", std::move(merges)},
                                         {"ranks", std::move(ranks)},
                                         {"byte_fallback", byte_fallback_},
                                         {"fuse_unk", true},
                                         {"unk_token", std::string(*vocabulary_.token(unknown_))}},
                                    Alphabet::characters);
}

std::pair<size_t, TokenId> Model::symbol(std::string_view text) const {
  std::pair<size_t, TokenId> longest = {0, -1};
  symbols_.prefixes(text, [&](size_t size, int32_t id) { longest = {size, id}; });
  return longest;
}

TokenId Model::find(std::string_view text) const {
  const auto id = vocabulary_.id_of(text);
  if (!id) return unknown_;
  const Type type = pieces_[static_cast<size_t>(*id)].type;
  return type == Type::normal || type == Type::user_defined ? *id : unknown_;
}

// Unknown text is spelt in bytes, or neighbours become one token.
void Model::add(std::string_view text, TokenSpan span, std::vector<TokenSpan>& out) const {
  if (span.id != unknown_) {
    out.push_back(span);
  } else if (byte_fallback_) {
    for (size_t i = span.begin; i < span.end; ++i)
      out.push_back({byte_tokens_[static_cast<uint8_t>(text[i])], span.begin, span.end});
  } else if (!out.empty() && out.back().id == unknown_ && out.back().end == span.begin) {
    out.back().end = span.end;
  } else {
    span.value = TokenSpan::Value::of_text;
    out.push_back(span);
  }
}

float Model::score_of(TokenId id, size_t length) const {
  const auto& piece = pieces_[static_cast<size_t>(id)];
  if (piece.type != Type::user_defined) return piece.score;
  return static_cast<float>(0.1 * (static_cast<double>(length) - 1));
}

void Model::add_unigram(std::string_view text, Work& work, std::vector<TokenSpan>& out) const {
  auto& best = work.best;
  best.assign(text.size() + 1, {});
  size_t reached = 0;
  for (size_t at = 0; at < text.size();) {
    float so_far = best[at].score;
    if (so_far < -kResetAt || so_far > kResetAt) {
      for (size_t i = at; i <= reached; ++i)
        if (i == at || best[i].begin != Step::kNone) best[i].score -= so_far;
      so_far = 0;
    }
    const size_t one = decode_utf8(text, at).size;
    bool single = false;
    const auto offer = [&](size_t length, TokenId id, float score) {
      reached = std::max(reached, at + length);
      Step& step = best[at + length];
      const float candidate = score + so_far;
      if (step.begin == Step::kNone || candidate > step.score) step = {candidate, id, at};
    };
    found_.prefixes(text.substr(at), [&](size_t length, int32_t id) {
      offer(length, id, score_of(id, length));
      single |= length == one;
    });
    if (!single) offer(one, unknown_, unknown_score_);
    at += one;
  }
  work.path.clear();
  for (size_t end = text.size(); end > 0; end = best[end].begin)
    work.path.push_back({best[end].id, best[end].begin, end});
  for (auto step = work.path.rbegin(); step != work.path.rend(); ++step) add(text, *step, out);
}

void Model::add_words(std::string_view text, std::vector<TokenSpan>& out) const {
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(kMark, begin + 1), text.size());
    add(text, {find(text.substr(begin, end - begin)), begin, end}, out);
    begin = end;
  }
}

void Model::add_characters(std::string_view text, std::vector<TokenSpan>& out) const {
  for (size_t at = 0; at < text.size();) {
    auto [size, id] = symbol(text.substr(at));
    if (size == 0) {
      size = decode_utf8(text, at).size;
      id = find(text.substr(at, size));
    }
    add(text, {id, at, at + size}, out);
    at += size;
  }
}

void Model::add_bpe(std::string_view text, size_t begin, Work& work,
                    std::vector<TokenSpan>& out) const {
  auto& spans = work.inner_spans;
  spans.clear();
  bpe_->encode_spans(text.substr(begin), *work.inner, spans);
  for (auto span : spans) {
    span.begin += begin;
    span.end += begin;
    if (static_cast<size_t>(span.id) >= pieces_.size()) span.id = unknown_;
    add(text, span, out);
  }
}

void Model::encode_spans(std::string_view text, Scratch& scratch,
                         std::vector<TokenSpan>& out) const {
  auto& work = static_cast<Work&>(scratch);
  auto& spans = work.spans;
  spans.clear();
  if (algorithm_ == Algorithm::unigram) {
    add_unigram(text, work, spans);
  } else if (algorithm_ == Algorithm::word) {
    add_words(text, spans);
  } else if (algorithm_ == Algorithm::character) {
    add_characters(text, spans);
  } else {
    size_t begin = 0;
    for (size_t at = 0; has_symbols_ && at < text.size();) {
      const auto [size, id] = symbol(text.substr(at));
      if (size == 0) {
        at += decode_utf8(text, at).size;
        continue;
      }
      if (at > begin) add_bpe(text.substr(0, at), begin, work, spans);
      spans.push_back({id, at, at + size});
      begin = at += size;
    }
    if (begin < text.size()) add_bpe(text, begin, work, spans);
  }
  out.insert(out.end(), spans.begin(), spans.end());
}

void Model::encode(const PieceList& list, Scratch& scratch, TokenBuffer& out) const {
  auto& work = static_cast<Work&>(scratch);
  if (bpe_ && strangers_ == 0 && !has_symbols_) return bpe_->encode(list, *work.inner, out);
  std::vector<TokenSpan> spans;
  for (size_t i = 0; i < list.count; ++i) {
    spans.clear();
    encode_spans(list.pieces[i], scratch, spans);
    for (const auto& span : spans) out.push_back(span.id);
  }
}

}  // namespace

std::unique_ptr<PieceModel> read_sentencepiece_model(const Json& json) {
  return std::make_unique<Model>(json);
}

bool score_before(float a, float b) {
  const auto key = [](float score) {
    const auto bits = std::bit_cast<int32_t>(score);
    return bits < 0 ? ~(bits & 0x7FFFFFFF) : bits;
  };
  return key(a) < key(b);
}

std::vector<ScoredMerge> merges_by_score(const std::vector<ScoredPiece>& pieces) {
  std::vector<std::string_view> texts;
  for (const auto& piece : pieces) texts.push_back(piece.text);
  const PieceCuts cuts(texts);
  std::vector<ScoredMerge> merges;
  std::vector<bool> begins, ends;
  for (const auto& [text, score] : pieces) {
    const size_t first = decode_utf8(text, 0).size;
    if (first == text.size()) continue;
    size_t last = text.size() - 1;
    while ((static_cast<uint8_t>(text[last]) & 0xC0) == 0x80) --last;
    cuts.mark(text, begins, ends);
    begins[first] = ends[last] = true;  // single characters need not be pieces
    for (size_t cut = first; cut <= last; ++cut)
      if (begins[cut] && ends[cut])
        merges.push_back({text.substr(0, cut), text.substr(cut), score});
  }
  std::stable_sort(merges.begin(), merges.end(),
                   [](const auto& a, const auto& b) { return score_before(b.score, a.score); });
  return merges;
}

}  // namespace helio::text
