#include "text/tokenizer/json_tokenizer.h"

#include <algorithm>
#include <utility>

#include "text/tokenizer/tokenizer_parts.h"
#include "text/utf8.h"

namespace helio::text {

void JsonTokenizer::GiveBack::operator()(Scratch* scratch) const {
  std::unique_ptr<Scratch> held(scratch);
  const std::lock_guard lock(owner->idle_mutex_);
  owner->idle_.push_back(std::move(held));
}

JsonTokenizer::Lease JsonTokenizer::lease() const {
  const std::lock_guard lock(idle_mutex_);
  if (!idle_.empty()) {
    Lease lease(idle_.back().release(), GiveBack{this});
    idle_.pop_back();
    return lease;
  }
  auto made = std::make_unique<Scratch>();
  made->model = model_->make_scratch();
  return Lease(made.release(), GiveBack{this});
}

JsonTokenizer::~JsonTokenizer() = default;

void JsonTokenizer::encode_between(std::string_view text, const char* begin, Scratch& scratch,
                                   std::vector<TokenId>& out) const {
  auto& buffers = scratch.pieces;
  buffers.pieces.assign(1, text);
  buffers.made.clear();
  buffers.text_begin = begin;
  pre_tokenizer_.steps->split(buffers);
  for (const auto piece : buffers.pieces)
    if (!piece.empty()) model_->encode(piece, *scratch.model, out);
}

void JsonTokenizer::encode_text(std::string_view text, Scratch& scratch,
                                std::vector<TokenId>& out) const {
  scratch.outer.clear();
  as_written_.find(text, scratch.outer);
  for (const auto& segment : scratch.outer) {
    if (segment.token >= 0) {
      out.push_back(as_written_ids_[static_cast<size_t>(segment.token)]);
      continue;
    }
    std::string_view part = text.substr(segment.begin, segment.end - segment.begin);
    std::string made;
    if (!normalizer_.does_nothing()) part = made = normalizer_.apply(part);
    if (normalized_.empty()) {
      encode_between(part, text.data(), scratch, out);
      continue;
    }
    scratch.inner.clear();
    normalized_.find(part, scratch.inner);
    for (const auto& inside : scratch.inner)
      if (inside.token >= 0) out.push_back(normalized_ids_[static_cast<size_t>(inside.token)]);
      else
        encode_between(part.substr(inside.begin, inside.end - inside.begin), text.data(), scratch,
                       out);
  }
}

std::vector<TokenId> JsonTokenizer::encode(std::string_view text, SpecialTokens special) const {
  if (pre_tokenizer_.needs_sources) return encode_with_offsets(text, special).ids;
  const Lease lease = this->lease();
  std::vector<TokenId> ids;
  ids.reserve(text.size() / 3 + 8);
  if (is_valid_utf8(text)) encode_text(text, *lease, ids);
  else encode_text(repair_utf8(text), *lease, ids);
  if (special == SpecialTokens::add) post_processor_.wrap(ids, nullptr);
  return ids;
}

std::string JsonTokenizer::decode(const std::vector<TokenId>& ids, SpecialTokens special) const {
  std::string bytes;
  std::vector<std::string> tokens;
  bool first = true;
  for (const TokenId id : ids) {
    if (id < 0 || static_cast<size_t>(id) >= written_.size()) continue;
    const Kind kind = kinds_[static_cast<size_t>(id)];
    if (kind == Kind::unused || (kind == Kind::special && special == SpecialTokens::skip)) continue;
    const auto& token = written_[static_cast<size_t>(id)];
    if (decoder_.kind() == TokenDecoder::Kind::chain) {
      tokens.push_back(token);
      continue;
    }
    // Without a decoder HF puts the tokens as they are written side by side.
    if (decoder_.kind() == TokenDecoder::Kind::joined_tokens && !first) bytes += ' ';
    bytes += token;
    first = false;
  }
  if (decoder_.kind() == TokenDecoder::Kind::chain) bytes = decoder_.decode(std::move(tokens));
  return is_valid_utf8(bytes) ? bytes : repair_utf8(bytes);
}

std::string JsonTokenizer::token_bytes(TokenId id) const {
  if (id < 0 || static_cast<size_t>(id) >= written_.size() ||
      kinds_[static_cast<size_t>(id)] == Kind::unused)
    throw Error(ErrorKind::invalid, "no token has id " + std::to_string(id))
        .with_hint("this vocabulary has " + std::to_string(vocab_size()) + " ids");
  const auto& token = written_[static_cast<size_t>(id)];
  return decoder_.kind() == TokenDecoder::Kind::joined_bytes ? token : decoder_.bytes_of(token);
}

std::optional<TokenId> JsonTokenizer::id_of(std::string_view token) const {
  const auto found = added_ids_.find(std::string(token));
  if (found != added_ids_.end()) return found->second;
  return model_->id_of(token);
}

}  // namespace helio::text
