#include "text/tokenizer/vocabulary.h"

#include <algorithm>
#include <array>

#include "text/tokenizer/tokenizer_parts.h"

namespace helio::text {
namespace {

constexpr char kDigits[] = "0123456789ABCDEF";

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

void Vocabulary::make_room(size_t ids, size_t entries, size_t bytes) {
  tokens_.assign(ids, {});
  texts_.reserve(bytes + 1);  // not empty: views of empty tokens have data
  size_t size = 16;
  while (size < entries * 2) size *= 2;
  slots_.assign(size, {});
  mask_ = size - 1;
}

TokenId Vocabulary::put(std::string_view text, TokenId id, uint64_t hash) {
  const char* const begin = texts_.data() + texts_.size();
  texts_.insert(texts_.end(), text.begin(), text.end());
  tokens_[static_cast<size_t>(id)] = {begin, text.size()};
  size_t i = hash & mask_;
  for (; slots_[i].id >= 0; i = (i + 1) & mask_)
    if (slots_[i].tag == tag(hash) && tokens_[static_cast<size_t>(slots_[i].id)] == text) {
      const TokenId before = slots_[i].id;
      slots_[i].id = id;
      return before;
    }
  slots_[i] = {tag(hash), id};
  return -1;
}

void Vocabulary::set(const TokenEntries& entries) {
  int64_t largest = -1;
  size_t bytes = 0;
  for (const auto& entry : entries) {
    largest = std::max<int64_t>(largest, entry.id);
    bytes += entry.text.size();
  }
  // Tables are indexed by ids: a few far ones must not make them huge.
  const auto count = static_cast<int64_t>(entries.size());
  if (largest >= std::max<int64_t>(1 << 18, 16 * count))
    throw malformed("the vocabulary has " + std::to_string(count) + " tokens, but an id of " +
                    std::to_string(largest));
  make_room(static_cast<size_t>(largest + 1), entries.size(), bytes);
  constexpr size_t kStep = 32;  // tokens whose places are fetched at once
  std::array<uint64_t, kStep> hashes;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (i % kStep == 0)
      for (size_t j = i; j < std::min(i + kStep, entries.size()); ++j)
        prefetch_slot(hashes[j % kStep] = hash_text(entries[j].text));
    const auto& entry = entries[i];
    if (const auto other = token(entry.id))
      throw malformed("tokens '" + std::string(*other) + "' and '" + std::string(entry.text) +
                      "' have the same id " + std::to_string(entry.id));
    if (put(entry.text, entry.id, hashes[i % kStep]) >= 0)
      throw malformed("token '" + std::string(entry.text) + "' is there twice");
  }
  entries_ = entries.size();
}

void Vocabulary::set(const std::vector<std::string>& tokens) {
  size_t bytes = 0;
  for (const auto& token : tokens) bytes += token.size();
  make_room(tokens.size(), tokens.size(), bytes);
  for (size_t id = 0; id < tokens.size(); ++id)
    if (put(tokens[id], static_cast<TokenId>(id), hash_text(tokens[id])) >= 0) has_doubles_ = true;
  entries_ = tokens.size();
}

std::array<TokenId, 256> Vocabulary::byte_tokens() const {
  std::array<TokenId, 256> ids = {};
  std::string name = "<0x00>";
  for (size_t byte = 0; byte < 256; ++byte) {
    name[3] = kDigits[byte >> 4];
    name[4] = kDigits[byte & 15];
    ids[byte] = id_of(name).value_or(-1);
  }
  return ids;
}

std::optional<uint8_t> byte_of_token(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
  const int low = digit(token[4]);
  // Rust's parser of numbers takes a sign.
  const int high = token[3] == '+' ? 0 : digit(token[3]);
  if (low < 0 || high < 0) return std::nullopt;
  return static_cast<uint8_t>(high * 16 + low);
}

}  // namespace helio::text
