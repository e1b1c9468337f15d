// Which pages of a key/value cache belong to whom: sequences hold pages, sequences that begin alike
// share them, and pages that nobody holds stay findable until their room is needed. Torch-free: the
// numbers in the pages are PagedCache's (model/paged_cache.h).
// The idea of pages: Kwon et al. 2023 (vLLM); of finding them by a hash over all tokens up to their
// end: vLLM's automatic prefix caching.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "core/hash.h"
#include "text/tokenizer.h"

namespace helio::model {

using PageId = int32_t;

class PagePool {
 public:
  PagePool(int64_t pages, int64_t tokens_per_page);

  // Whole pages that hold the beginning of `ids`, as many as are known, each now held once more.
  std::vector<PageId> find(std::span<const text::TokenId> ids);
  // A page for new tokens, held once; the one unused for longest gives way. Nothing when all pages
  // are held.
  std::optional<PageId> take();
  void release(PageId page);
  // How far a sequence has been published.
  struct Published {
    size_t pages = 0;
    Hash128 key = {};  // of all of them
  };
  // Makes the full pages of a sequence findable, from where `so_far` says on. `ids` are all its
  // tokens that are in its pages.
  void publish(std::span<const text::TokenId> ids, std::span<const PageId> pages,
               Published& so_far);

  int64_t tokens_per_page() const { return tokens_; }
  int64_t pages() const { return static_cast<int64_t>(pages_.size()); }
  int64_t held() const { return held_; }  // pages that some sequence holds
  int64_t free() const { return pages() - held_; }

 private:
  struct Page {
    int64_t holders = 0;
    std::optional<Hash128> key = {};         // under which it is found
    std::list<PageId>::iterator place = {};  // in unused_, while nobody holds it
  };
  Hash128 key_after(const Hash128& before, std::span<const text::TokenId> ids) const;
  void hold(PageId page);

  int64_t tokens_, held_ = 0;
  std::vector<Page> pages_;
  std::list<PageId> unused_ = {};  // those unused for longest first
  std::map<Hash128, PageId> known_ = {};
};

}  // namespace helio::model
