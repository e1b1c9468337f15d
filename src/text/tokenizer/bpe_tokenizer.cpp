#include "text/tokenizer/bpe_tokenizer.h"

#include <algorithm>
#include <utility>

#include "text/tokenizer/byte_letters.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/utf8.h"

namespace helio::text {

// A scratch taken from the idle ones (or made) and given back at the end: encode() is const and
// runs in many threads, and words stay cached between texts.
class BpeTokenizer::Lease {
 public:
  explicit Lease(const BpeTokenizer& owner) : owner_(owner) {
    const std::lock_guard lock(owner_.idle_mutex_);
    if (!owner_.idle_.empty()) {
      scratch_ = std::move(owner_.idle_.back());
      owner_.idle_.pop_back();
    }
    if (!scratch_) scratch_ = std::make_unique<Scratch>();
  }
  ~Lease() {
    const std::lock_guard lock(owner_.idle_mutex_);
    owner_.idle_.push_back(std::move(scratch_));
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  Scratch& operator*() { return *scratch_; }

 private:
  const BpeTokenizer& owner_;
  std::unique_ptr<Scratch> scratch_;
};

BpeTokenizer::~BpeTokenizer() = default;

void BpeTokenizer::encode_between(std::string_view text, Scratch& scratch,
                                  std::vector<TokenId>& out) const {
  auto& buffers = scratch.pieces;
  buffers.pieces.assign(1, text);
  buffers.made.clear();
  pre_tokenizer_->split(buffers);
  for (const auto piece : buffers.pieces) model_.encode(piece, scratch.model, out);
}

void BpeTokenizer::encode_text(std::string_view text, Scratch& scratch,
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
      encode_between(part, scratch, out);
      continue;
    }
    scratch.inner.clear();
    normalized_.find(part, scratch.inner);
    for (const auto& inside : scratch.inner)
      if (inside.token >= 0) out.push_back(normalized_ids_[static_cast<size_t>(inside.token)]);
      else encode_between(part.substr(inside.begin, inside.end - inside.begin), scratch, out);
  }
}

std::vector<TokenId> BpeTokenizer::encode(std::string_view text, SpecialTokens special) const {
  Lease lease(*this);
  std::vector<TokenId> ids;
  ids.reserve(text.size() / 3 + 8);
  if (is_valid_utf8(text)) encode_text(text, *lease, ids);
  else encode_text(repair_utf8(text), *lease, ids);
  if (special == SpecialTokens::skip) return ids;
  for (const auto& step : templates_) {
    std::vector<TokenId> wrapped;
    wrapped.reserve(ids.size() + step.items.size());
    for (const TokenId item : step.items)
      if (item == IdTemplate::kText) wrapped.insert(wrapped.end(), ids.begin(), ids.end());
      else wrapped.push_back(item);
    ids = std::move(wrapped);
  }
  return ids;
}

std::string BpeTokenizer::decode(const std::vector<TokenId>& ids, SpecialTokens special) const {
  std::string bytes;
  bool first = true;
  for (const TokenId id : ids) {
    if (id < 0 || static_cast<size_t>(id) >= bytes_.size()) continue;
    const uint8_t kind = kinds_[static_cast<size_t>(id)];
    if (kind == 0 || (kind == 2 && special == SpecialTokens::skip)) continue;
    // Without a decoder HF puts the tokens as they are written side by side.
    if (decoder_ == Decoder::none && !first) bytes += ' ';
    bytes += bytes_[static_cast<size_t>(id)];
    first = false;
  }
  return is_valid_utf8(bytes) ? bytes : repair_utf8(bytes);
}

std::string BpeTokenizer::token_bytes(TokenId id) const {
  if (id < 0 || static_cast<size_t>(id) >= bytes_.size() || kinds_[static_cast<size_t>(id)] == 0)
    throw Error(ErrorKind::invalid, "no token has id " + std::to_string(id))
        .with_hint("this vocabulary has " + std::to_string(vocab_size()) + " ids");
  const auto& bytes = bytes_[static_cast<size_t>(id)];
  return decoder_ == Decoder::none ? from_byte_letters(bytes).value_or(bytes) : bytes;
}

std::optional<TokenId> BpeTokenizer::id_of(std::string_view token) const {
  const auto found = added_ids_.find(std::string(token));
  if (found != added_ids_.end()) return found->second;
  return model_.id_of(token);
}

}  // namespace helio::text
