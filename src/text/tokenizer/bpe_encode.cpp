// Encoding with a BPE model: words by the caches, else from their bytes or characters by merging.
#include <algorithm>

#include "text/tokenizer/bpe_model.h"
#include "text/tokenizer/bpe_scratch.h"
#include "text/tokenizer/byte_letters.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

// Whether it is worth asking: the last character may be a syllable, and not the only one.
bool may_be_korean(std::string_view word) {
  if (word.size() < 6) return false;
  const auto lead = static_cast<uint8_t>(word[word.size() - 3]);
  return lead >= 0xEA && lead <= 0xED;
}

}  // namespace

const SyllableRules& BpeModel::syllable_rules() const {
  std::call_once(syllables_once_,
                 [&] { syllables_ = std::make_shared<SyllableRules>(merges_, byte_ids_); });
  return *syllables_;
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

// The bytes' ids and their neighbours' ranks; false when the vocabulary lacks one of them.
bool BpeModel::add_letters(std::string_view word, Work& work) const {
  work.ids.resize(word.size());
  work.ranks.resize(word.size());
  const auto* const bytes = reinterpret_cast<const uint8_t*>(word.data());
  TokenId any = 0;
  for (size_t i = 0; i < word.size(); ++i) any |= work.ids[i] = byte_ids_[bytes[i]];
  if (any < 0) return false;  // all the bits of -1
  for (size_t i = 0; i + 1 < word.size(); ++i)
    work.ranks[i] = byte_pair_ranks_[(size_t(bytes[i]) << 8) | bytes[i + 1]];
  return true;
}

void BpeModel::find_ids(std::string_view word, Work& work) const {
  const bool bytes = alphabet_ == Alphabet::bytes;
  work.ids.clear();
  if (ignore_merges_) {
    if (bytes) to_byte_letters(word, work.letters);
    if (const auto whole = id_of(bytes ? std::string_view(work.letters) : word)) {
      work.ids.push_back(*whole);
      return;
    }
  }
  if (bytes && word.size() <= kShortWord) {
    if ((may_be_korean(word) && work.syllables.pays() &&
         work.syllables.start(syllable_rules(), word, work.ids, work.ranks)) ||
        add_letters(word, work))
      return merge_short(merges_, work);
  }
  work.ids.clear();
  if (bytes) add_bytes(word, work, Sizes::leave);
  else add_characters(word, work, Sizes::leave);
  if (work.ids.size() > 1) merge_all(merges_, work);
}

void BpeModel::encode_word(std::string_view word, Work& work, TokenBuffer& out) const {
  // Few words of a large vocabulary are short and yet have too many ids for the first cache: it
  // would be asked in vain.
  const bool ask = word.size() > WordKey::kLongest || 16 * work.many_ids >= work.short_words;
  auto* slot = ask ? work.long_words.slot(word) : nullptr;
  if (slot && slot->holds(word)) {
    out.append(slot->ids, slot->count);
    return;
  }
  find_ids(word, work);
  const bool many = work.ids.size() > WordCache::Slot::kIds;
  if (word.size() <= WordKey::kLongest) {
    ++work.short_words;
    work.many_ids += many ? 1 : 0;
  }
  if (slot && (many || word.size() > WordKey::kLongest))
    slot->keep(word, work.ids.data(), work.ids.size());
  out.append(work.ids.data(), work.ids.size());
}

void BpeModel::encode_words(const PieceList& list, Work& work, TokenBuffer& out) const {
  work.words.encode(list.text, list.pieces, list.count, out,
                    [&](std::string_view word, TokenBuffer& to) { encode_word(word, work, to); });
}

void BpeModel::encode(const PieceList& list, Scratch& scratch, TokenBuffer& out) const {
  auto& work = static_cast<Work&>(scratch);
  if (!cuts_) return encode_words(list, work, out);
  constexpr std::string_view kMark = "\u2581";
  std::array<std::string_view, 64> words;
  for (size_t i = 0; i < list.count; ++i) {
    const std::string_view piece = list.pieces[i];
    size_t count = 0;
    const auto flush = [&] {
      encode_words({words.data(), count, piece}, work, out);
      count = 0;
    };
    size_t begin = 0;
    for (size_t at = piece.find(kMark, 1); at < piece.size(); at = piece.find(kMark, at + 1)) {
      size_t before = at - 1;
      while (before > 0 && (static_cast<uint8_t>(piece[before]) & 0xC0) == 0x80) --before;
      if (std::binary_search(joined_.begin(), joined_.end(), decode_utf8(piece, before).value))
        continue;
      words[count++] = piece.substr(begin, at - begin);
      begin = at;
      if (count == words.size()) flush();
    }
    if (begin < piece.size()) words[count++] = piece.substr(begin);
    flush();
  }
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
