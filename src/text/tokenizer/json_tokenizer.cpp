#include "text/tokenizer/json_tokenizer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "text/tokenizer/tokenizer_parts.h"
#include "text/utf8.h"

namespace helio::text {

namespace {

size_t number_of_this_thread() {
  static std::atomic<size_t> threads = 0;
  static thread_local const size_t number = threads++;
  return number;
}

}  // namespace

void JsonTokenizer::GiveBack::operator()(Scratch* scratch) const {
  auto& own = owner->own_[number_of_this_thread() % owner->own_.size()].scratch;
  std::unique_ptr<Scratch> other(own.exchange(scratch, std::memory_order_acq_rel));
  if (!other) return;
  const std::lock_guard lock(owner->idle_mutex_);
  owner->idle_.push_back(std::move(other));
}

JsonTokenizer::Lease JsonTokenizer::lease() const {
  auto& own = own_[number_of_this_thread() % own_.size()].scratch;
  if (Scratch* mine = own.exchange(nullptr, std::memory_order_acq_rel))
    return Lease(mine, GiveBack{this});
  {
    const std::lock_guard lock(idle_mutex_);
    if (!idle_.empty()) {
      Lease lease(idle_.back().release(), GiveBack{this});
      idle_.pop_back();
      return lease;
    }
  }
  auto made = std::make_unique<Scratch>();
  made->model = model_->make_scratch();
  return Lease(made.release(), GiveBack{this});
}

JsonTokenizer::~JsonTokenizer() {
  for (auto& own : own_) delete own.scratch.load();
}

void JsonTokenizer::encode_between(std::string_view text, const char* begin,
                                   Scratch& scratch) const {
  if (pre_tokenizer_.whole) {
    std::array<std::string_view, 64> pieces;
    size_t at = 0;
    while (const size_t count = pre_tokenizer_.whole(text, at, pieces.data(), pieces.size()))
      model_->encode({pieces.data(), count, text}, *scratch.model, scratch.ids);
    return;
  }
  auto& buffers = scratch.pieces;
  buffers.pieces.assign(1, text);
  buffers.made.clear();
  buffers.text_begin = begin;
  pre_tokenizer_.steps->split(buffers);
  std::erase_if(buffers.pieces, [](std::string_view piece) { return piece.empty(); });
  model_->encode({buffers.pieces.data(), buffers.pieces.size(), text}, *scratch.model, scratch.ids);
}

void JsonTokenizer::encode_text(std::string_view text, Scratch& scratch) const {
  scratch.outer.clear();
  as_written_.find(text, scratch.outer);
  for (const auto& segment : scratch.outer) {
    if (segment.token >= 0) {
      scratch.ids.push_back(as_written_ids_[static_cast<size_t>(segment.token)]);
      continue;
    }
    std::string_view part = text.substr(segment.begin, segment.end - segment.begin);
    std::string made;
    part = normalizer_.apply(part, made);
    if (normalized_.empty()) {
      encode_between(part, text.data(), scratch);
      continue;
    }
    scratch.inner.clear();
    normalized_.find(part, scratch.inner);
    for (const auto& inside : scratch.inner)
      if (inside.token >= 0)
        scratch.ids.push_back(normalized_ids_[static_cast<size_t>(inside.token)]);
      else
        encode_between(part.substr(inside.begin, inside.end - inside.begin), text.data(), scratch);
  }
}

std::vector<TokenId> JsonTokenizer::encode(std::string_view text, SpecialTokens special) const {
  if (pre_tokenizer_.needs_sources) return encode_with_offsets(text, special).ids;
  const Lease lease = this->lease();
  lease->ids.clear();
  if (is_valid_utf8(text)) encode_text(text, *lease);
  else encode_text(repair_utf8(text), *lease);
  auto ids = lease->ids.take();
  if (special == SpecialTokens::add) post_processor_.wrap(ids, nullptr);
  return ids;
}

std::optional<TokenId> JsonTokenizer::id_of(std::string_view token) const {
  const auto found = added_ids_.find(std::string(token));
  if (found != added_ids_.end()) return found->second;
  return model_->id_of(token);
}

}  // namespace helio::text
