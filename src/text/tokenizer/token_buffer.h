// Where ids are written while a text is encoded.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

#include "text/tokenizer.h"

namespace helio::text {

// A vector of ids that can be written to before it is grown: writer(n) gives room for n ids, of
// which advance(k) keeps the first k.
class TokenBuffer {
 public:
  size_t size() const { return size_; }
  const TokenId* data() const { return ids_.get(); }
  void clear() { size_ = 0; }

  TokenId* writer(size_t room) {
    if (size_ + room > capacity_) grow(size_ + room);
    return ids_.get() + size_;
  }
  void advance(size_t count) { size_ += count; }
  void push_back(TokenId id) {
    *writer(1) = id;
    ++size_;
  }
  void append(const TokenId* ids, size_t count) {
    std::copy_n(ids, count, writer(count));
    size_ += count;
  }
  // The ids; a buffer that a very long text has made large gives its memory back.
  std::vector<TokenId> take() {
    std::vector<TokenId> out(data(), data() + size_);
    size_ = 0;
    if (capacity_ > kKept) {
      ids_.reset();
      capacity_ = 0;
    }
    return out;
  }

 private:
  static constexpr size_t kKept = 1 << 18;

  void grow(size_t least) {
    const size_t capacity = std::max({least, 2 * capacity_, size_t(256)});
    std::unique_ptr<TokenId[]> ids(new TokenId[capacity]);
    std::copy_n(ids_.get(), size_, ids.get());
    ids_ = std::move(ids);
    capacity_ = capacity;
  }

  std::unique_ptr<TokenId[]> ids_ = {};
  size_t size_ = 0, capacity_ = 0;
};

}  // namespace helio::text
