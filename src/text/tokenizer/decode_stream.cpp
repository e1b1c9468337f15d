// Text from ids that come one by one, and what a tokenizer without offsets says.
#include <algorithm>
#include <utility>

#include "core/error.h"
#include "text/tokenizer.h"

namespace helio::text {
namespace {

// Whether an id never has any text when special tokens are left out.
bool has_no_text(const Tokenizer& tokenizer, TokenId id) {
  const auto& added = tokenizer.added_tokens();
  const auto found =
      std::lower_bound(added.begin(), added.end(), id,
                       [](const AddedToken& token, TokenId other) { return token.id < other; });
  return found != added.end() && found->id == id && found->special && !found->normalized;
}

}  // namespace

Encoding Tokenizer::encode_with_offsets(std::string_view, SpecialTokens) const {
  throw Error(ErrorKind::invalid,
              "this tokenizer does not tell where its tokens stand in the text");
}

// The new end of `text`, the text of ids_. The ids before those given out last are let go: what
// comes next is decoded behind the latter alone, which also tells a first token from later ones.
std::string DecodeStream::take(std::string text) {
  const auto same = std::mismatch(given_.begin(), given_.end(), text.begin(), text.end());
  std::string added = text.substr(static_cast<size_t>(same.second - text.begin()));
  ids_.erase(ids_.begin(), ids_.begin() + static_cast<std::ptrdiff_t>(given_ids_));
  given_ids_ = ids_.size();
  given_ = tokenizer_->decode(ids_, special_);
  return added;
}

std::string DecodeStream::step(TokenId id) {
  // A run of tokens without text must not make each step longer than the one before.
  constexpr size_t kWindow = 32;
  if (ids_.size() >= kWindow && special_ == SpecialTokens::skip && has_no_text(*tokenizer_, id))
    return "";
  ids_.push_back(id);
  std::string text = tokenizer_->decode(ids_, special_);
  if (text.size() <= given_.size() || text.ends_with("\uFFFD") || !text.starts_with(given_))
    return "";
  return take(std::move(text));
}

std::string DecodeStream::finish() {
  std::string text = tokenizer_->decode(ids_, special_);
  std::string added = take(std::move(text));
  ids_.clear();
  given_.clear();
  given_ids_ = 0;
  return added;
}

}  // namespace helio::text
