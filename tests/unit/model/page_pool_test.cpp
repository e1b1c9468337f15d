#include "model/page_pool.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "core/rng.h"

namespace helio::model {
namespace {

using Ids = std::vector<text::TokenId>;

Ids counted(int first, int count) {
  Ids ids(static_cast<size_t>(count));
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

TEST(PagePool, FindsWholePagesOfAKnownBeginning) {
  PagePool pool(8, 4);
  const Ids ids = counted(0, 10);
  std::vector<PageId> pages = {*pool.take(), *pool.take(), *pool.take()};
  PagePool::Published so_far;
  pool.publish(ids, pages, so_far);
  Ids other = counted(0, 7);
  other.push_back(99);
  EXPECT_EQ(pool.find(other), (std::vector<PageId>{pages[0]}));          // its second page differs
  EXPECT_EQ(pool.find(ids), (std::vector<PageId>{pages[0], pages[1]}));  // the third is not full
  Ids shifted = counted(4, 8);  // the same tokens at another place are other keys and values
  EXPECT_TRUE(pool.find(shifted).empty());
  EXPECT_EQ(pool.held(), 3);
}

TEST(PagePool, ReleasedPagesStayUntilTheirRoomIsNeeded) {
  PagePool pool(3, 2);
  const Ids a = {1, 2}, b = {3, 4};
  const PageId first = *pool.take(), second = *pool.take();
  PagePool::Published of_a, of_b;
  pool.publish(a, std::vector<PageId>{first}, of_a);
  pool.publish(b, std::vector<PageId>{second}, of_b);
  pool.release(first);
  pool.release(second);
  EXPECT_EQ(pool.free(), 3);
  ASSERT_EQ(pool.find(a).size(), 1);  // used lately now
  pool.release(first);
  EXPECT_TRUE(pool.take());        // the never used one
  EXPECT_EQ(pool.take(), second);  // then the one unused for longest
  EXPECT_TRUE(pool.find(b).empty());
  EXPECT_EQ(pool.find(a).size(), 1);
  EXPECT_FALSE(pool.take());  // all are held
}

TEST(PagePool, NoPageIsEverHeldByTwoThatDiffer) {
  PagePool pool(16, 3);
  Rng rng(7);
  struct Sequence {
    Ids ids;
    std::vector<PageId> pages;
    PagePool::Published published;
  };
  std::vector<Sequence> live;
  std::vector<Ids> content(16);  // what each page holds
  for (int step = 0; step < 20000; ++step) {
    if (!live.empty() && rng.below(2) == 0) {
      const size_t which = rng.below(live.size());
      for (const PageId page : live[which].pages) pool.release(page);
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(which));
      continue;
    }
    Sequence made;
    const size_t length = 1 + rng.below(12);
    for (size_t i = 0; i < length; ++i)
      made.ids.push_back(static_cast<text::TokenId>(rng.below(2)));
    made.pages = pool.find(made.ids);
    for (size_t i = 0; i < made.pages.size(); ++i)
      ASSERT_EQ(content[static_cast<size_t>(made.pages[i])],
                Ids(made.ids.begin(), made.ids.begin() + static_cast<std::ptrdiff_t>(3 * (i + 1))));
    bool fits = true;
    while (fits && made.pages.size() * 3 < length) {
      const auto page = pool.take();
      fits = page.has_value();
      if (!fits) break;
      for (const auto& other : live)
        for (const PageId held : other.pages) ASSERT_NE(held, *page);
      made.pages.push_back(*page);
      const size_t end = std::min(length, made.pages.size() * 3);
      content[static_cast<size_t>(*page)] =
          Ids(made.ids.begin(), made.ids.begin() + static_cast<std::ptrdiff_t>(end));
    }
    if (fits) {
      pool.publish(made.ids, made.pages, made.published);
      live.push_back(std::move(made));
    } else {
      for (const PageId page : made.pages) pool.release(page);
    }
    std::set<PageId> held;
    for (const auto& sequence : live) held.insert(sequence.pages.begin(), sequence.pages.end());
    ASSERT_EQ(pool.held(), static_cast<int64_t>(held.size()));
  }
}

}  // namespace
}  // namespace helio::model
