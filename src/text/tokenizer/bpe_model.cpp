#include "text/tokenizer/bpe_model.h"

#include <algorithm>

#include "text/tokenizer/bpe_scratch.h"
#include "text/tokenizer/byte_letters.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

constexpr const char* kOf = "the BPE model";
constexpr char32_t kWordMark = 0x2581;  // SentencePiece's mark of a word's beginning

std::string affix(const Json& model, const char* key) {
  const auto found = model.find(key);
  if (found == model.end() || found->is_null()) return "";
  return text_member(model, key, kOf);
}

// One merge rule: ["a", "b"], or "a b" as older files have it.
struct Rule {
  std::string left = {}, right = {};
};

Rule read_rule(const Json& json, size_t rank) {
  const auto bad = [&] {
    return malformed("merge " + std::to_string(rank) + " is no pair of tokens");
  };
  if (json.is_array()) {
    if (json.size() != 2 || !json[0].is_string() || !json[1].is_string()) throw bad();
    return {json[0].get<std::string>(), json[1].get<std::string>()};
  }
  if (!json.is_string()) throw bad();
  const auto& text = json.get_ref<const std::string&>();
  const size_t space = text.find(' ');
  if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) throw bad();
  return {text.substr(0, space), text.substr(space + 1)};
}

}  // namespace

void MergeTable::reserve(size_t merges) {
  size_t size = 16;
  int bits = 4;
  for (; size < merges * 2; size *= 2) ++bits;
  slots_.assign(size, Entry{});
  mask_ = size - 1;
  shift_ = 64 - bits;
}

void MergeTable::set(TokenId left, TokenId right, uint32_t rank, TokenId id) {
  const uint64_t pair = key(left, right);
  size_t i = place(pair);
  while (slots_[i].pair != kNone && slots_[i].pair != pair) i = (i + 1) & mask_;
  slots_[i] = {pair, rank, id};
}

BpeModel::BpeModel(const Json& json, Alphabet alphabet) : alphabet_(alphabet) {
  if (const auto dropout = json.find("dropout"); dropout != json.end() && !dropout->is_null())
    if (!dropout->is_number() || dropout->get<double>() != 0)
      throw unsupported("the BPE model's option", "dropout", "models without it");
  prefix_ = affix(json, "continuing_subword_prefix");
  suffix_ = affix(json, "end_of_word_suffix");
  byte_fallback_ = flag_member(json, "byte_fallback", kOf, false);
  fuse_unknown_ = flag_member(json, "fuse_unk", kOf, false);
  ignore_merges_ = flag_member(json, "ignore_merges", kOf, false);
  if (const auto unknown = json.find("unk_token"); unknown != json.end() && !unknown->is_null())
    unknown_ = text_member(json, "unk_token", kOf);
  // Bytes that spell an affix or a character have no letter.
  if (!prefix_.empty() || !suffix_.empty() || byte_fallback_) alphabet_ = Alphabet::characters;
  vocabulary_.read(member(json, "vocab", kOf));
  read_merges(json);
  if (alphabet_ == Alphabet::bytes) prepare_letters();
  else prepare_characters();
  pairs_ = {};
}

BpeModel::~BpeModel() = default;

void BpeModel::prepare_letters() {
  for (size_t byte = 0; byte < 256; ++byte) {
    std::string letter;
    append_utf8(letter, byte_letters()[byte]);
    byte_ids_[byte] = id_of(letter).value_or(-1);
  }
  if (ignore_merges_)
    for (const auto& [token, id] : vocabulary_.ids())
      if (auto bytes = from_byte_letters(token)) whole_words_.emplace(std::move(*bytes), id);
}

void BpeModel::prepare_characters() {
  byte_tokens_ = vocabulary_.byte_tokens();
  if (prefix_.empty() && suffix_.empty()) {
    for (const auto& [token, id] : vocabulary_.ids()) {
      if (token.empty()) continue;
      const auto point = decode_utf8(token, 0);
      if (point.size != token.size()) continue;
      if (character_ids_.size() <= point.value) character_ids_.resize(point.value + 1, -1);
      character_ids_[point.value] = id;
    }
    if (!ignore_merges_) find_cuts();
  }
}

// A merge over a place of the text joins a token that ends in the character before it to one that
// begins with the character behind it. Where no rule does that, both sides may be merged alone.
void BpeModel::find_cuts() {
  cuts_ = character_ids_.size() > kWordMark && character_ids_[kWordMark] >= 0;
  const auto unknown = unknown_ ? id_of(*unknown_) : std::nullopt;
  for (const auto& [left, right] : pairs_) {
    const std::string &before = *token(left), &behind = *token(right);
    if (behind.empty() || decode_utf8(behind, 0).value != kWordMark) continue;
    // These stand for other text than their own.
    if (before.empty() || left == unknown || byte_of_token(before)) cuts_ = false;
    if (!cuts_) return;
    size_t last = before.size() - 1;
    while (last > 0 && (static_cast<uint8_t>(before[last]) & 0xC0) == 0x80) --last;
    joined_.push_back(decode_utf8(before, last).value);
  }
  std::sort(joined_.begin(), joined_.end());
  joined_.erase(std::unique(joined_.begin(), joined_.end()), joined_.end());
}

void BpeModel::read_merges(const Json& json) {
  const Json& list = member(json, "merges", kOf);
  if (!list.is_array()) throw malformed("the merges must be a list");
  merges_.reserve(list.size());
  pairs_.reserve(list.size());
  uint32_t rank = 0;
  for (const auto& item : list) {
    if (item.is_string() && item.get_ref<const std::string&>().starts_with("#version")) continue;
    const Rule rule = read_rule(item, rank);
    const auto need = [&](const std::string& token) {
      const auto id = id_of(token);
      if (!id)
        throw malformed("merge " + std::to_string(rank) + " needs '" + token +
                        "', which is not in the vocabulary");
      return *id;
    };
    const TokenId left = need(rule.left), right = need(rule.right);
    if (rule.right.size() < prefix_.size())
      throw malformed("merge " + std::to_string(rank) + ": '" + rule.right +
                      "' lacks the prefix of tokens that continue a word");
    merges_.set(left, right, rank, need(rule.left + rule.right.substr(prefix_.size())));
    pairs_.emplace_back(left, right);
    ++rank;
  }
}

std::unique_ptr<PieceModel::Scratch> BpeModel::make_scratch() const {
  return std::make_unique<Work>();
}

TokenId BpeModel::unknown_id() const {
  const auto id = id_of(*unknown_);
  if (!id)
    throw malformed("the text has a character that the vocabulary lacks, and the unknown token '" +
                    *unknown_ + "' is not in it either");
  return *id;
}

TokenId BpeModel::character_id(std::string_view character, char32_t code) const {
  if (prefix_.empty() && suffix_.empty())
    return code < character_ids_.size() ? character_ids_[code] : -1;
  return id_of(character).value_or(-1);
}

void BpeModel::add_bytes(std::string_view piece, Work& work, Sizes sizes) const {
  const auto put = [&](TokenId id, uint32_t size) {
    work.ids.push_back(id);
    if (sizes == Sizes::note) work.sizes.push_back(size);
  };
  uint32_t unknown = 0;  // letters' bytes of unknown text not yet written
  for (const char c : piece) {
    const auto byte = static_cast<uint8_t>(c);
    const uint32_t size = byte_letters()[byte] < 0x80 ? 1 : 2;
    const TokenId id = byte_ids_[byte];
    if (id < 0 && !unknown_) continue;
    if (unknown > 0 && (id >= 0 || !fuse_unknown_)) {
      put(unknown_id(), unknown);
      unknown = 0;
    }
    if (id >= 0) put(id, size);
    else unknown += size;
  }
  if (unknown > 0) put(unknown_id(), unknown);
}

void BpeModel::add_characters(std::string_view piece, Work& work, Sizes sizes) const {
  const auto put = [&](TokenId id, uint32_t size) {
    work.ids.push_back(id);
    if (sizes == Sizes::note) work.sizes.push_back(size);
  };
  uint32_t unknown = 0;
  std::string made;
  for (size_t at = 0; at < piece.size();) {
    const auto point = decode_utf8(piece, at);
    std::string_view character = piece.substr(at, point.size);
    const bool first = at == 0;
    at += point.size;
    if ((!first && !prefix_.empty()) || (at == piece.size() && !suffix_.empty())) {
      made = first ? "" : prefix_;
      made += character;
      if (at == piece.size()) made += suffix_;
      character = made;
    }
    const TokenId id = character_id(character, point.value);
    if (id >= 0) {
      if (unknown > 0) put(unknown_id(), unknown);
      unknown = 0;
      put(id, point.size);
      continue;
    }
    if (byte_fallback_ && std::all_of(character.begin(), character.end(), [&](char c) {
          return byte_tokens_[static_cast<uint8_t>(c)] >= 0;
        })) {
      // Unknown text before stays behind, as in HF.
      for (const char c : character) put(byte_tokens_[static_cast<uint8_t>(c)], 1);
      continue;
    }
    if (!unknown_) continue;
    if (unknown > 0 && !fuse_unknown_) {
      put(unknown_id(), unknown);
      unknown = 0;
    }
    unknown += point.size;
  }
  if (unknown > 0) put(unknown_id(), unknown);
}

void BpeModel::encode_word(std::string_view piece, Work& work, std::vector<TokenId>& out) const {
  auto* const slot = work.cache.slot(piece);
  if (slot && slot->holds(piece)) {
    out.insert(out.end(), slot->ids, slot->ids + slot->count);
    return;
  }
  work.ids.clear();
  if (alphabet_ == Alphabet::bytes) {
    const auto whole =
        whole_words_.empty() ? whole_words_.end() : whole_words_.find(std::string(piece));
    if (whole != whole_words_.end()) work.ids.push_back(whole->second);
    else add_bytes(piece, work, Sizes::leave);
  } else {
    const auto whole = ignore_merges_ ? id_of(piece) : std::nullopt;
    if (whole) work.ids.push_back(*whole);
    else add_characters(piece, work, Sizes::leave);
  }
  if (work.ids.size() > 1) merge_all(merges_, work);
  if (slot) slot->keep(piece, work.ids);
  out.insert(out.end(), work.ids.begin(), work.ids.end());
}

void BpeModel::encode(std::string_view piece, Scratch& scratch, std::vector<TokenId>& out) const {
  auto& work = static_cast<Work&>(scratch);
  if (!cuts_) {
    if (!piece.empty()) encode_word(piece, work, out);
    return;
  }
  constexpr std::string_view kMark = "\u2581";
  size_t begin = 0;
  for (size_t at = piece.find(kMark, 1); at < piece.size(); at = piece.find(kMark, at + 1)) {
    size_t before = at - 1;
    while (before > 0 && (static_cast<uint8_t>(piece[before]) & 0xC0) == 0x80) --before;
    if (std::binary_search(joined_.begin(), joined_.end(), decode_utf8(piece, before).value))
      continue;
    encode_word(piece.substr(begin, at - begin), work, out);
    begin = at;
  }
  if (begin < piece.size()) encode_word(piece.substr(begin), work, out);
}

void BpeModel::encode_spans(std::string_view piece, Scratch& scratch,
                            std::vector<TokenSpan>& out) const {
  auto& work = static_cast<Work&>(scratch);
  work.ids.clear();
  work.sizes.clear();
  const bool bytes = alphabet_ == Alphabet::bytes;
  if (ignore_merges_) {
    const auto whole = bytes ? id_of(to_byte_letters(piece)) : id_of(piece);
    if (whole) {
      out.push_back({*whole, 0, piece.size()});
      return;
    }
  }
  if (bytes) add_bytes(piece, work, Sizes::note);
  else add_characters(piece, work, Sizes::note);
  merge_all_sized(merges_, work);
  if (!bytes) {
    size_t at = 0;
    for (size_t i = 0; i < work.ids.size(); at += work.sizes[i++])
      out.push_back({work.ids[i], at, at + work.sizes[i]});
    return;
  }
  // HF counts in the bytes of the letters: find the bytes of the piece they stand for.
  size_t letters = 0, place = 0, byte = 0;
  const auto advance = [&](size_t target) {  // to the byte whose letter has `target`
    while (byte < piece.size()) {
      const size_t size = byte_letters()[static_cast<uint8_t>(piece[byte])] < 0x80 ? 1 : 2;
      if (place + size > target) break;
      place += size;
      ++byte;
    }
    return byte;
  };
  for (size_t i = 0; i < work.ids.size(); ++i) {
    const size_t begin = advance(letters), next = letters + work.sizes[i];
    out.push_back({work.ids[i], begin, std::min(advance(next - 1) + 1, piece.size())});
    letters = next;
  }
}

}  // namespace helio::text
