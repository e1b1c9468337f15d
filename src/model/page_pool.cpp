#include "model/page_pool.h"

#include <string>

#include "core/error.h"

namespace helio::model {

PagePool::PagePool(int64_t pages, int64_t tokens_per_page)
    : tokens_(tokens_per_page), pages_(static_cast<size_t>(pages)) {
  HELIO_CHECK(pages > 0 && tokens_per_page > 0, "a cache with room");
  for (PageId page = 0; page < pages; ++page)
    pages_[static_cast<size_t>(page)].place = unused_.insert(unused_.end(), page);
}

Hash128 PagePool::key_after(const Hash128& before, std::span<const text::TokenId> ids) const {
  std::string bytes(reinterpret_cast<const char*>(&before), sizeof(before));
  bytes.append(reinterpret_cast<const char*>(ids.data()), ids.size_bytes());
  return xxh3_128(bytes);
}

void PagePool::hold(PageId id) {
  Page& page = pages_[static_cast<size_t>(id)];
  if (page.holders++ > 0) return;
  unused_.erase(page.place);
  ++held_;
}

std::vector<PageId> PagePool::find(std::span<const text::TokenId> ids) {
  std::vector<PageId> out;
  Hash128 key = {};
  const auto size = static_cast<size_t>(tokens_);
  for (size_t at = 0; at + size <= ids.size(); at += size) {
    key = key_after(key, ids.subspan(at, size));
    const auto known = known_.find(key);
    if (known == known_.end()) break;
    hold(known->second);
    out.push_back(known->second);
  }
  return out;
}

std::optional<PageId> PagePool::take() {
  if (unused_.empty()) return std::nullopt;
  const PageId id = unused_.front();
  Page& page = pages_[static_cast<size_t>(id)];
  if (page.key) known_.erase(*page.key);
  page.key.reset();
  hold(id);
  return id;
}

void PagePool::release(PageId id) {
  Page& page = pages_[static_cast<size_t>(id)];
  HELIO_CHECK(page.holders > 0, "a page is released once for each time it was held");
  if (--page.holders > 0) return;
  --held_;
  // What nobody can find again is used up first.
  page.place = unused_.insert(page.key ? unused_.end() : unused_.begin(), id);
}

void PagePool::publish(std::span<const text::TokenId> ids, std::span<const PageId> pages,
                       Published& so_far) {
  const auto size = static_cast<size_t>(tokens_);
  for (size_t& i = so_far.pages; i < pages.size() && (i + 1) * size <= ids.size(); ++i) {
    so_far.key = key_after(so_far.key, ids.subspan(i * size, size));
    Page& page = pages_[static_cast<size_t>(pages[i])];
    // Two sequences may have computed the same page; the first one's is found.
    if (!page.key && known_.emplace(so_far.key, pages[i]).second) page.key = so_far.key;
  }
}

}  // namespace helio::model
