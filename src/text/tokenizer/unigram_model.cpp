#include "text/tokenizer/unigram_model.h"

#include <algorithm>

#include "text/tokenizer/tokenizer_parts.h"
#include "text/tokenizer/word_cache.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

constexpr const char* kOf = "the Unigram model";
constexpr double kUnknownPenalty = 10.0;  // below the worst token, as SentencePiece has it

size_t character_size(char first) {
  const auto byte = static_cast<uint8_t>(first);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

}  // namespace

// The best way to a place in the piece: the last token of it.
struct UnigramModel::Best {
  double score = 0;
  size_t begin = kNone;
  TokenId id = 0;
  static constexpr size_t kNone = ~size_t(0);
};

class UnigramModel::Work final : public PieceModel::Scratch {
 public:
  CachedWords words = {};
  LongWordCache long_words = {};
  std::vector<Best> best = {};
  std::vector<TokenSpan> path = {}, spans = {};
  std::vector<TokenId> ids = {};
};

UnigramModel::UnigramModel(const Json& json) {
  const Json& list = member(json, "vocab", kOf);
  if (!list.is_array()) throw malformed("the Unigram vocabulary must be a list");
  if (list.size() > static_cast<size_t>(kLargestId))
    throw malformed("the Unigram vocabulary has more than " + std::to_string(kLargestId) +
                    " tokens");
  std::vector<std::string> tokens;
  tokens.reserve(list.size());
  double least = 0;
  for (const auto& item : list) {
    if (!item.is_array() || item.size() != 2 || !item[0].is_string() || !item[1].is_number())
      throw malformed("entry " + std::to_string(tokens.size()) +
                      " of the Unigram vocabulary is no pair of a token and its score");
    tokens.push_back(item[0].get<std::string>());
    scores_.push_back(item[1].get<double>());
    least = scores_.size() == 1 ? scores_[0] : std::min(least, scores_.back());
  }
  vocabulary_.set(tokens);
  unknown_score_ = least - kUnknownPenalty;
  if (const auto id = json.find("unk_id"); id != json.end() && !id->is_null()) {
    unknown_ = read_id(*id, "unk_id");
    if (static_cast<size_t>(unknown_) >= scores_.size())
      throw malformed("unk_id " + std::to_string(unknown_) + " is not in the vocabulary");
  }
  byte_fallback_ = flag_member(json, "byte_fallback", kOf, false);
  byte_tokens_ = vocabulary_.byte_tokens();
  std::vector<std::pair<std::string_view, int32_t>> entries;
  entries.reserve(scores_.size());
  vocabulary_.for_each(
      [&](std::string_view token, TokenId id) { entries.emplace_back(token, id); });
  trie_ = FlatTrie(std::move(entries));
}

std::unique_ptr<PieceModel::Scratch> UnigramModel::make_scratch() const {
  return std::make_unique<Work>();
}

void UnigramModel::find_path(std::string_view piece, Work& work) const {
  auto& best = work.best;
  best.assign(piece.size() + 1, {});
  for (size_t at = 0; at < piece.size();) {
    const double so_far = best[at].score;
    const size_t one = character_size(piece[at]);
    bool single = false;
    const auto offer = [&](size_t length, TokenId id, double score) {
      Best& target = best[at + length];
      if (target.begin == Best::kNone || score + so_far > target.score)
        target = {score + so_far, at, id};
    };
    trie_.prefixes(piece.substr(at), [&](size_t length, int32_t id) {
      offer(length, id, scores_[static_cast<size_t>(id)]);
      single |= length == one;
    });
    if (!single) {
      if (unknown_ < 0 &&
          (best[at + one].begin == Best::kNone || unknown_score_ + so_far > best[at + one].score))
        throw malformed(
            "the text has a character that the vocabulary lacks, and the model has "
            "no unk_id");
      if (unknown_ >= 0) offer(one, unknown_, unknown_score_);
    }
    at += one;
  }
  auto& path = work.path;
  path.clear();
  for (size_t end = piece.size(); end > 0; end = best[end].begin) {
    const TokenSpan step{best[end].id, best[end].begin, end};
    // Unknown neighbours are one token.
    if (!path.empty() && unknown_ >= 0 && step.id == unknown_ && path.back().id == unknown_)
      path.back().begin = step.begin;
    else path.push_back(step);
  }
  std::reverse(path.begin(), path.end());
}

void UnigramModel::add(std::string_view piece, size_t begin, size_t end, TokenId id,
                       std::vector<TokenSpan>& out) const {
  // Only unknown text needs a look: it may be a token after all, or be spelt in bytes.
  if (id != unknown_) {
    out.push_back({id, begin, end});
    return;
  }
  const std::string_view text = piece.substr(begin, end - begin);
  if (const auto known = vocabulary_.id_of(text)) {
    out.push_back({*known, begin, end});
    return;
  }
  if (byte_fallback_ && std::all_of(text.begin(), text.end(), [&](char c) {
        return byte_tokens_[static_cast<uint8_t>(c)] >= 0;
      })) {
    for (const char c : text) out.push_back({byte_tokens_[static_cast<uint8_t>(c)], begin, end});
    return;
  }
  out.push_back({id, begin, end, TokenSpan::Value::of_text});
}

void UnigramModel::encode(const PieceList& list, Scratch& scratch, TokenBuffer& out) const {
  auto& work = static_cast<Work&>(scratch);
  const auto encode_word = [&](std::string_view piece, TokenBuffer& to) {
    auto* const slot = work.long_words.slot(piece);
    if (slot && slot->holds(piece)) return to.append(slot->ids, slot->count);
    work.spans.clear();
    encode_spans(piece, scratch, work.spans);
    work.ids.clear();
    for (const auto& span : work.spans) work.ids.push_back(span.id);
    if (slot && (piece.size() > WordKey::kLongest || work.ids.size() > WordCache::Slot::kIds))
      slot->keep(piece, work.ids.data(), work.ids.size());
    to.append(work.ids.data(), work.ids.size());
  };
  work.words.encode(list.text, list.pieces, list.count, out, encode_word);
}

void UnigramModel::encode_spans(std::string_view piece, Scratch& scratch,
                                std::vector<TokenSpan>& out) const {
  auto& work = static_cast<Work&>(scratch);
  find_path(piece, work);
  for (const auto& step : work.path) add(piece, step.begin, step.end, step.id, out);
}

}  // namespace helio::text
